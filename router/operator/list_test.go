package operator_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"testing"
	"time"

	"sluice/rollout"
	"sluice/router/operator"
)

// names lists doc_id:intent of each claim.
func names(claims []operator.Claim) []string {
	list := []string{}
	for _, c := range claims {
		list = append(list, c.DocID+":"+string(c.Intent))
	}
	return list
}

// What is merely under way, here or at another gateway, is in no list of doubts.
func TestWhatIsOpenAmbiguousAndResidue(t *testing.T) {
	d := openDesk(t)
	d.records.suspects = map[rollout.Intent]bool{"suspect": true, "followed": true}
	sent := func(age time.Duration, senders ...string) rollout.Claim {
		c := onLegacy("sent by "+senders[0], senders...)
		aged(age)(&c)
		return c
	}
	retried := sent(time.Hour, "gw-2")
	retried.Sends[0].Last = time.Now().UnixMilli()
	stuck := func(c *rollout.Claim) { c.Stuck, c.Accepted = true, true }
	for id, claims := range map[string][]rollout.Claim{
		"a": {onTemporal("under way")},
		"b": {onTemporal("late", aged(3*time.Minute))},
		"c": {onTemporal("suspect")},
		"d": {onTemporal("followed", accepted)},
		"e": {onTemporal("slow", accepted, aged(16*time.Minute))},
		"f": {onTemporal("stuck", stuck)},
		"g": {onTemporal("waiting", func(c *rollout.Claim) { c.Attempts, c.Unsettled = 0, 0 })},
		"h": {onTemporal("done", done, aged(time.Hour)), onTemporal("next")},
		"i": {sent(time.Minute, "gw-1"), sent(time.Minute, "gw-2")},
		"j": {sent(4*time.Minute, "gw-2")},
		"k": {retried},
	} {
		d.records.put(id, claims...)
	}
	why := map[string]string{"b:late": "ambiguous", "c:suspect": "ambiguous", "e:slow": "overdue", "f:stuck": "stuck",
		"j:sent by gw-2": "ambiguous", "k:sent by gw-2": "overdue"}
	open := []string{"a:under way", "b:late", "c:suspect", "d:followed", "e:slow", "f:stuck", "g:waiting", "h:next",
		"i:sent by gw-1", "i:sent by gw-2", "j:sent by gw-2", "k:sent by gw-2"}
	for query, want := range map[string][]string{
		"":                         open,
		"?state=open":              open,
		"?state=ambiguous":         {"b:late", "c:suspect", "f:stuck", "j:sent by gw-2"},
		"?state=ambiguous&after=c": {"f:stuck", "j:sent by gw-2"},
		"?state=residue":           slices.Sorted(maps.Keys(why)),
		"?after=k":                 {},
	} {
		var page operator.ClaimPage
		d.do("GET", "/api/claims"+query, "", http.StatusOK, &page)
		if got := names(page.Claims); !slices.Equal(got, want) || page.Next != "" {
			t.Errorf("%q: got %q (next %q) instead of %q", query, got, page.Next, want)
		}
		for i, name := range names(page.Claims) {
			if c := page.Claims[i]; c.Why != why[name] || c.Ambiguous != (why[name] == "ambiguous" || why[name] == "stuck") {
				t.Errorf("%s: why is %q, ambiguous %v", name, c.Why, c.Ambiguous)
			}
		}
	}
}

func TestOneClaimIsShownWhole(t *testing.T) {
	d := openDesk(t)
	d.records.put("doc", onLegacy("kaa", "gw-0"), onTemporal("kbb", done))
	var page operator.ClaimPage
	d.do("GET", "/api/claims/doc", "", http.StatusOK, &page)
	if len(page.Claims) != 2 {
		t.Fatalf("got %+v", page)
	}
	first := page.Claims[0]
	if first.Age < 59 || first.Age > 300 || first.Born.IsZero() || !first.Settled.IsZero() || len(first.Sends) != 1 || first.Sends[0].Owner != "gw-0" {
		t.Errorf("got %+v", first)
	}
	second := page.Claims[1]
	second.Age = 0
	want := operator.Claim{DocID: "doc", Intent: "kbb", Life: 7, Route: "documents", Path: "temporal", State: "done", Owner: "gw-1",
		Epoch: 3, Born: second.Born, Settled: second.Settled, Attempts: 1, Unsettled: 1, Accepted: true}
	if !reflect.DeepEqual(second, want) || second.Settled.Sub(second.Born).Milliseconds() != 5 {
		t.Errorf("got %+v", second)
	}
}

// A doc_id is anything that is valid UTF-8, also what means something in a path.
func TestAnyDocIDCanBeShown(t *testing.T) {
	d := openDesk(t)
	for _, id := range []string{"a/b", "settle", "ü?#%2F", "a b", "..", "%", "a//b/../c", "\x00\n"} {
		d.records.put(id, onTemporal("k"))
		path := "/api/claims/" + url.PathEscape(id)
		if id == ".." {
			path = "/api/claims/%2E%2E"
		}
		var page operator.ClaimPage
		d.do("GET", path, "", http.StatusOK, &page)
		if len(page.Claims) != 1 || page.Claims[0].DocID != id {
			t.Errorf("%q: got %+v", id, page)
		}
	}
	if slug := d.do("GET", "/api/claims/unknown", "", http.StatusNotFound, nil); slug != "no-claims" {
		t.Errorf("an unknown document: %s", slug)
	}
}

// Whatever is open and however pages are cut: each claim is on one page, in order.
func TestPagesHoldEachClaimOnce(t *testing.T) {
	for range 100 {
		d := openDesk(t)
		var want []string
		for i := range rand.IntN(30) {
			id := fmt.Sprintf("doc-%02d", i)
			var claims []rollout.Claim
			for j := range rand.IntN(5) {
				claims = append(claims, onTemporal(fmt.Sprintf("k%d", j)))
				if rand.IntN(3) == 0 {
					done(&claims[j])
					continue
				}
				want = append(want, fmt.Sprintf("%s:k%d", id, j))
			}
			d.records.put(id, claims...)
		}
		limit := 1 + rand.IntN(8)
		var got []string
		for after := ""; ; {
			var page operator.ClaimPage
			d.do("GET", fmt.Sprintf("/api/claims?limit=%d&after=%s", limit, after), "", http.StatusOK, &page)
			got = append(got, names(page.Claims)...)
			if len(page.Claims) > limit+4 {
				t.Errorf("a page of %d claims with a limit of %d", len(page.Claims), limit)
			}
			if page.Next == "" {
				break
			}
			if len(page.Claims) < limit {
				t.Errorf("a page of %d claims with a limit of %d, and there is another", len(page.Claims), limit)
			}
			after = page.Next
		}
		if !slices.Equal(got, want) {
			t.Fatalf("limit %d: got\n%q\nwant\n%q", limit, got, want)
		}
	}
}

func TestRequestsAreTakenStrictly(t *testing.T) {
	d := openDesk(t)
	for _, path := range []string{
		"/api/claims?state=opne", "/api/claims?limit=0", "/api/claims?limit=1001", "/api/claims?limit=x", "/api/claims?stat=open",
		"/api/claims?state=open&state=ambiguous", "/api/claims?a;b", "/api/claims/doc?state=open", "/api/claims/%FF",
		"/api/audit?after=-1", "/api/audit?limit=0", "/api/audit?before=3",
	} {
		if slug := d.do("GET", path, "", http.StatusBadRequest, nil); slug != "bad-request" {
			t.Errorf("%s: %s", path, slug)
		}
	}
	for _, path := range []string{"/api/", "/api/claim", "/api/claims/", "/api/claims/a/b", "/"} {
		if slug := d.do("GET", path, "", http.StatusNotFound, nil); slug != "not-found" {
			t.Errorf("%s: %s", path, slug)
		}
	}
	for _, what := range [][2]string{{"POST", "/api/claims"}, {"DELETE", "/api/claims/doc"}, {"PUT", "/api/claims/settle"}, {"POST", "/api/audit"}} {
		if slug := d.do(what[0], what[1], "", http.StatusMethodNotAllowed, nil); slug != "method" {
			t.Errorf("%s: %s", what, slug)
		}
	}
	d.records.broken = errors.New("the store is away")
	for _, path := range []string{"/api/claims", "/api/claims/doc"} {
		if slug := d.do("GET", path, "", http.StatusServiceUnavailable, nil); slug != "store" {
			t.Errorf("%s: %s", path, slug)
		}
	}
}
