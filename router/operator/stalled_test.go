package operator_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"sluice/router/operator"
)

// Whoever looks is told what keeps a run from getting on; Temporal is asked only of what is
// open there, and not new.
func TestWhatHindersARunIsShown(t *testing.T) {
	d := openDesk(t)
	d.records.stalled = map[string]string{}
	for id, claim := range map[string]func() (stalled bool){
		"a": func() bool { d.records.put("a", onTemporal("k", accepted)); return true },
		"b": func() bool { d.records.put("b", onTemporal("k", accepted, aged(time.Hour))); return true },
		"c": func() bool { d.records.put("c", onTemporal("k", accepted, aged(time.Second))); return false },
		"d": func() bool { d.records.put("d", onLegacy("k", "gw-1")); return false },
	} {
		d.records.stalled[id] = "it hangs"
		want := ""
		if claim() {
			want = "documents " + id + " k 7: it hangs"
		}
		for _, list := range []string{"/api/claims", "/api/claims/" + id} {
			var page operator.ClaimPage
			d.do("GET", list, "", http.StatusOK, &page)
			found := false
			for _, c := range page.Claims {
				if c.DocID == id {
					if found = true; c.Stalled != want {
						t.Errorf("%s: %s is stalled by %q", list, id, c.Stalled)
					}
				}
			}
			if !found {
				t.Errorf("%s does not list %s", list, id)
			}
		}
	}
	d.records.put("e", onTemporal("k", done, aged(time.Hour)))
	d.records.stalled["e"] = "it hangs"
	var page operator.ClaimPage
	if d.do("GET", "/api/claims/e", "", http.StatusOK, &page); page.Claims[0].Stalled != "" {
		t.Errorf("it has ended, and is %+v", page.Claims[0])
	}
}

// Of a long list the oldest are asked about.
func TestOfALongListTheOldestAreAskedAbout(t *testing.T) {
	d := openDesk(t)
	d.records.stalled = map[string]string{}
	for i := range 150 {
		id := fmt.Sprintf("%03d", i)
		d.records.stalled[id] = "it hangs"
		d.records.put(id, onTemporal("k", accepted, aged(time.Minute+time.Duration(i)*time.Second)))
	}
	var page operator.ClaimPage
	d.do("GET", "/api/claims?limit=1000", "", http.StatusOK, &page)
	for i, c := range page.Claims {
		if (c.Stalled != "") != (i >= 50) {
			t.Fatalf("%s, %v old: %q", c.DocID, c.Age, c.Stalled)
		}
	}
}
