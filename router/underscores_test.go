package router_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"sluice/router"
)

func TestUnderscoreFields(t *testing.T) {
	for _, how := range []router.Underscores{router.PassUnderscores, router.DropUnderscores, router.RejectUnderscores} {
		var mu sync.Mutex
		counted := map[string]int{}
		d := openDoor(t, func(s *setup) {
			s.Underscores, s.CountUnderscores = how, func(became string) {
				mu.Lock()
				defer mu.Unlock()
				counted[became]++
			}
		})
		d.post(docA, "X-Tenant", "a").want(t, http.StatusOK, "by legacy")
		for _, target := range []string{"/v1/documents", "/other"} {
			for _, fields := range [][]string{{"X_Tenant", "a"}, {"Trailer", "X_Sum"}} {
				body := docA
				if fields[0] == "Trailer" {
					body = "" // sent in chunks, with what it announces
				}
				got := d.announced(target, body, fields)
				if how != router.RejectUnderscores {
					got.want(t, http.StatusOK, "by legacy")
					continue
				}
				if p := got.wantProblem(t, http.StatusBadRequest, "underscore-field", ""); !strings.Contains(p.Detail, "X_") {
					t.Errorf("it does not say which: %s", p.Detail)
				}
			}
		}
		mu.Lock()
		if counted[how.String()] != 4 || len(counted) != 1 {
			t.Errorf("%s: counted %v", how, counted)
		}
		mu.Unlock()
		if word, ok := router.ParseUnderscores(how.String()); !ok || word != how {
			t.Errorf("%q is read as %v", how, word)
		}
	}
	if _, ok := router.ParseUnderscores("other"); ok {
		t.Error("any word will do")
	}
}

// announced sends a document, in chunks if it announces a trailer.
func (d *door) announced(target, body string, fields []string) answer {
	d.t.Helper()
	if body != "" {
		return d.send(http.MethodPost, target, body, fields...)
	}
	c := d.dial()
	c.send("POST " + target + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n" + fields[0] + ": " + fields[1] +
		"\r\n\r\ne\r\n" + docA + "\r\n0\r\n" + fields[1] + ": 1\r\n\r\n")
	return c.answer()
}
