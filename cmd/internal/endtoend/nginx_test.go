package endtoend_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"sluice/cmd/internal/nginxtest"
)

// Behind a real nginx, in its default form and on kept connections, a document is
// ingested on the path that its percentage names, whatever its size and framing.
func TestBehindNginx(t *testing.T) {
	t.Parallel()
	s := assemble(t, "")
	s.work(t)
	doors := nginxtest.Start(t, s.gateway.PublicAddress())
	for percent, path := range map[float64]string{0: "legacy", 100: "temporal"} {
		s.rollTo(t, percent)
		for form, door := range map[string]string{"default": doors.Plain, "kept": doors.Kept} {
			for i := range 5 {
				id := fmt.Sprintf("nginx-%s-%s-%d", path, form, i)
				for how, body := range map[string]io.Reader{
					"length": bytes.NewReader(documentBody(id)),
					"chunks": struct{ io.Reader }{bytes.NewReader(documentBody(id + "-chunks"))},
				} {
					if a := s.through(t, door, http.MethodPost, "/v1/documents", body); a.status != http.StatusOK || a.path() != path {
						t.Errorf("%s, %s: %v", id, how, a)
					}
				}
				if a := s.through(t, door, http.MethodGet, "/v1/documents/"+id, nil); a.status != http.StatusOK || !strings.Contains(string(a.body), id) {
					t.Errorf("%s is not read back: %v", id, a)
				}
			}
			large := strings.NewReader(strings.Replace(largeDocument, "large", "large-"+path+form, 1))
			if a := s.through(t, door, http.MethodPost, "/v1/documents", large); a.status != http.StatusOK || a.path() != "legacy" {
				t.Errorf("a large document, %s: %v", form, a)
			}
			if a := s.through(t, door, http.MethodGet, "/nothing", nil); a.status != http.StatusNotFound {
				t.Errorf("%v", a)
			}
		}
	}
}

func (s *stack) through(t *testing.T, door, method, target string, body io.Reader) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, "http://"+door+target, body)
	if err != nil {
		t.Fatal(err)
	}
	a, err := send(s.client, request)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
