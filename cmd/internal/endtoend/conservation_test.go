package endtoend_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// The books are one for all gateways, and balance; a scrape does not wait for a
// database that is away, and nothing is done by hand then.
func TestBooksOfTwoGateways(t *testing.T) {
	t.Parallel()
	s, server := onPostgres(t)
	s.work(t)
	second := s.openGateway(t, "data="+s.dir+"/second")
	doors := []string{s.gateway.PublicAddress(), second.PublicAddress()}
	post := func(from, to int) {
		t.Helper()
		for i := from; i < to; i++ {
			a, err := s.postTo(t.Context(), doors[i%2], fmt.Appendf(nil, `{"doc_id":"doc-%d","text":"Ada"}`, i))
			if err != nil || a.status != http.StatusOK {
				t.Fatalf("%v, %v", a, err)
			}
		}
	}
	post(0, 6) // on legacy
	s.rollTo(t, 100)
	probes := 0
	eventually(t, "the second gateway follows", func() bool {
		probes++ // the same document again would be a retry, and go where it went
		a, err := s.postTo(t.Context(), doors[1], fmt.Appendf(nil, `{"doc_id":"probe-%d","text":"Ada"}`, probes))
		return err == nil && a.path() == "temporal"
	})
	post(6, 10)
	var pages []string
	read := func() []string {
		pages = pages[:0]
		for _, address := range []string{s.gateway.OperatorAddress(), second.OperatorAddress()} {
			pages = append(pages, string(get(t, s.client, "http://"+address+"/metrics").body))
		}
		return pages
	}
	part := func(page, name string) (n int) {
		for line := range strings.Lines(page) {
			if value, found := strings.CutPrefix(line, fmt.Sprintf(`rollout_conservation{part=%q,route="documents"} `, name)); found {
				_, _ = fmt.Sscan(value, &n)
			}
		}
		return n
	}
	eventually(t, "both gateways show all that both did", func() bool {
		for _, page := range read() {
			if part(page, "temporal") < 5 || part(page, "legacy") < 6 || part(page, "in_flight") != 0 ||
				part(page, "accepted") != part(page, "legacy")+part(page, "temporal") {
				return false
			}
		}
		return part(pages[0], "accepted") == part(pages[1], "accepted")
	})
	for _, page := range pages {
		if !strings.Contains(page, `rollout_conservation_residue{route="documents"} 0`+"\n") {
			t.Error("there is a residue")
		}
	}
	server.Kill()
	if page := read()[0]; part(page, "accepted") < 11 {
		t.Errorf("while the database is away: %d accepted", part(page, "accepted"))
	}
	response, err := s.client.Post("http://"+s.gateway.OperatorAddress()+"/api/claims/settle", "application/json",
		strings.NewReader(`{"doc_id":"doc-1","intent":"k","life":7,"state":"void","reason":"test"}`))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("settling without an audit: %d", response.StatusCode)
	}
}
