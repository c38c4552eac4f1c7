package router_test

import (
	"net/http"
	"testing"
	"time"
)

// The gateway waits 20 s unless told otherwise, and a minute at most.
func TestPrefer(t *testing.T) {
	const usual = 20 * time.Second
	for _, row := range []struct {
		name    string
		prefer  []string
		wait    time.Duration
		applied string
	}{
		{"nothing", nil, usual, ""},
		{"respond-async", []string{"respond-async"}, 0, "respond-async"},
		{"wait", []string{"wait=7"}, 7 * time.Second, "wait=7"},
		{"wait for nothing", []string{"wait=0"}, 0, "wait=0"},
		{"both", []string{"respond-async, wait=7"}, 7 * time.Second, "respond-async, wait=7"},
		{"both, the other way round", []string{"wait=7, respond-async"}, 7 * time.Second, "wait=7, respond-async"},
		{"on two lines", []string{"wait=7", "respond-async"}, 7 * time.Second, "wait=7, respond-async"},
		{"above the longest", []string{"wait=61"}, time.Minute, "wait=60"},
		{"the longest", []string{"wait=60"}, time.Minute, "wait=60"},
		{"far above the longest", []string{"wait=2147483647"}, time.Minute, "wait=60"},
		{"the first counts", []string{"wait=7, wait=8", "wait=9"}, 7 * time.Second, "wait=7"},
		{"async twice", []string{"respond-async, respond-async"}, 0, "respond-async"},
		{"letter case and space", []string{" WAIT = 7 ,\tRespond-Async ; a=b"}, 7 * time.Second, "wait=7, respond-async"},
		{"quoted", []string{`wait="7"; a="b"`}, 7 * time.Second, "wait=7"},
		{"others beside it", []string{"return=minimal, wait=7, handling=lenient"}, 7 * time.Second, "wait=7"},
		{"negative", []string{"wait=-1"}, usual, ""},
		{"not a number", []string{"wait=soon"}, usual, ""},
		{"a fraction", []string{"wait=1.5"}, usual, ""},
		{"no number", []string{"wait"}, usual, ""},
		{"no number, and async", []string{"wait=, respond-async"}, 0, "respond-async"},
		{"malformed, then good", []string{"wait=x, wait=7"}, 7 * time.Second, "wait=7"},
		{"unknown", []string{"async, waiting=7"}, usual, ""},
		{"empty", []string{"", ",;=,"}, usual, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := openDoor(t, at(100), running(goesOn))
			var fields []string
			for _, value := range row.prefer {
				fields = append(fields, "Prefer", value)
			}
			got := d.post(document("a"), fields...)
			got.want(t, http.StatusAccepted, "")
			got.wantFields(t, "Preference-Applied", row.applied)
			if wait := d.temporal.all()[0].wait; wait != row.wait {
				t.Errorf("Temporal was given %v, want %v", wait, row.wait)
			}
		})
	}
}

// A result that is there is answered with, whatever the client preferred.
func TestPreferWithAResult(t *testing.T) {
	d := openDoor(t, at(100))
	got := d.post(document("a"), "Prefer", "wait=7")
	got.want(t, http.StatusOK, `{"by":"temporal"}`)
	got.wantFields(t, "Preference-Applied", "wait=7")
	legacy := openDoor(t)
	legacy.post(document("a"), "Prefer", "wait=7").wantFields(t, "Preference-Applied", "")
}
