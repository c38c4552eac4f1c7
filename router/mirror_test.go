package router_test

import (
	"context"
	"io"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"sluice/rollout"
)

// mirrorFake holds up to room bytes at one time.
type mirrorFake struct {
	room, held int
	offered    chan offer
	names      chan []string // of the fields of what is offered; nil if nobody asks
}

type offer struct {
	body string
	cut  string // empty if the answer is whole
	held int    // what is held once this is given back
}

func (m *mirrorFake) Sampled(*rollout.Policy, string) bool { return true }

func (m *mirrorFake) Hold(kept, more int) (rollout.DropReason, bool) {
	if m.held+more > m.room {
		m.held -= kept
		return rollout.DropBytes, false
	}
	m.held += more
	return 0, true
}

func (m *mirrorFake) Offer(_ *rollout.Document, primary rollout.Answer, _ time.Duration, cut *rollout.DropReason) {
	m.held -= len(primary.Body)
	o := offer{body: string(primary.Body), held: m.held}
	if cut != nil {
		o.cut = cut.String()
	}
	if m.names != nil {
		m.names <- slices.Sorted(maps.Keys(primary.Header))
	}
	m.offered <- o
}

// A mirror gets legacy's answer as far as it can hold it; the client always gets all of
// it. Whatever happens, what is held is given back, once.
func TestMirrorHoldsAnswersWithinItsRoom(t *testing.T) {
	for name, test := range map[string]struct {
		room    int
		outcome rollout.Outcome
		want    offer
	}{
		"whole":        {12, rollout.OutcomeOK, offer{body: "one two four"}},
		"no room":      {11, rollout.OutcomeOK, offer{cut: "bytes"}},
		"not legacy's": {12, rollout.OutcomeTimeout, offer{body: "one two four", cut: "primary"}},
	} {
		t.Run(name, func(t *testing.T) {
			mirror := &mirrorFake{room: test.room, offered: make(chan offer, 2)}
			d := openDoor(t, func(s *setup) { s.Mirror = mirror },
				answering(func(_ context.Context, w http.ResponseWriter, _ *http.Request) (rollout.Result, error) {
					for _, part := range []string{"one ", "two ", "four"} {
						_, _ = io.WriteString(w, part)
					}
					return rollout.Result{Status: http.StatusOK, Outcome: test.outcome}, nil
				}))
			if got := d.post(`{"doc_id":"a"}`); got.body != "one two four" {
				t.Errorf("the client got %v", got)
			}
			if got := <-mirror.offered; got != test.want || len(mirror.offered) > 0 {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

// Whom legacy refuses starts nothing on Temporal, and differs from nothing.
func TestWhoLegacyRefusesIsNotMirrored(t *testing.T) {
	for status, cut := range map[int]string{401: "client", 403: "client", 407: "client", 404: "", 422: "", 500: ""} {
		mirror := &mirrorFake{room: 12, offered: make(chan offer, 2)}
		d := openDoor(t, func(s *setup) { s.Mirror = mirror },
			answering(func(_ context.Context, w http.ResponseWriter, _ *http.Request) (rollout.Result, error) {
				w.WriteHeader(status)
				_, _ = io.WriteString(w, "no")
				return rollout.Result{Status: status, Outcome: rollout.OutcomeOfStatus(status)}, nil
			}))
		d.post(`{"doc_id":"a"}`).want(t, status, "no")
		if got := <-mirror.offered; got != (offer{body: "no", cut: cut}) {
			t.Errorf("%d: got %+v", status, got)
		}
	}
}

// A mirror gets the fields that describe the answer, and those that it asks for; no
// others, such as cookies.
func TestMirrorGetsTheFieldsThatItCompares(t *testing.T) {
	for name, row := range map[string]struct{ fields, want []string }{
		"no more": {nil, []string{"Content-Type", "Etag", "Location"}},
		"one":     {[]string{"x-stored-AS"}, []string{"Content-Type", "Etag", "Location", "X-Stored-As"}},
	} {
		mirror := &mirrorFake{room: 100, offered: make(chan offer, 2), names: make(chan []string, 2)}
		d := openDoor(t, func(s *setup) { s.Mirror, s.MirrorFields = mirror, row.fields },
			answering(func(_ context.Context, w http.ResponseWriter, _ *http.Request) (rollout.Result, error) {
				for _, field := range []string{"Content-Type", "Location", "ETag", "X-Stored-As", "Set-Cookie"} {
					w.Header().Set(field, "a/b")
				}
				w.WriteHeader(http.StatusCreated)
				return rollout.Result{Status: http.StatusCreated, Outcome: rollout.OutcomeOK}, nil
			}))
		d.post(`{"doc_id":"a"}`)
		if got := <-mirror.names; !slices.Equal(got, row.want) {
			t.Errorf("%s: got %q, want %q", name, got, row.want)
		}
	}
}
