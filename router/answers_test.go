package router_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/rollout"
	"sluice/router"
)

// kept is a record of answers in memory. The real ones have their own tests.
type kept struct {
	mu      sync.Mutex
	answers map[[16]byte][]byte // guarded by mu
	broken  error               // what every use fails with; guarded by mu
	keeping func()              // called before an answer is kept; may be nil
}

func (k *kept) KeepAnswer(_ context.Context, key rollout.AnswerKey, answer *rollout.Answer) error {
	if k.keeping != nil {
		k.keeping()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.broken == nil {
		k.answers[key.Sum()] = rollout.AppendAnswer(nil, answer)
	}
	return k.broken
}

func (k *kept) KeptAnswer(_ context.Context, key rollout.AnswerKey) (rollout.Answer, bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	encoded, found := k.answers[key.Sum()]
	if !found || k.broken != nil {
		return rollout.Answer{}, false, k.broken
	}
	answer, err := rollout.ParseAnswer(encoded)
	return answer, true, err
}

func (k *kept) breakWith(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.broken = err
}

// keeping opens the door with a record of answers of up to 1000 bytes.
func keeping(k *kept) func(*setup) {
	k.answers = map[[16]byte][]byte{}
	return func(s *setup) { s.Answers, s.AnswerLimit = k, 1000 }
}

// says makes legacy answer.
func says(status int, body string, fields ...string) func(*setup) {
	return answering(func(_ context.Context, w http.ResponseWriter, _ *http.Request) (rollout.Result, error) {
		for i := 0; i < len(fields); i += 2 {
			w.Header().Add(fields[i], fields[i+1])
		}
		w.WriteHeader(status)
		_, err := io.WriteString(w, body)
		return rollout.Result{Status: status, Outcome: rollout.OutcomeOfStatus(status), Err: err}, nil
	})
}

const underKey, itsKey = "Idempotency-Key", "k"

func (d *door) wantSent(times int) {
	d.t.Helper()
	if got := len(d.legacy.all()); got != times {
		d.t.Errorf("legacy got %d requests, want %d", got, times)
	}
}

func TestLegacyAnswersOnce(t *testing.T) {
	d := openDoor(t, keeping(&kept{}), says(201, "made", "Content-Type", "text/x", "Location", "/a", "Etag", `"1"`,
		"Link", "<a>", "Link", "<b>", "Set-Cookie", "a=b", "X-Legacy", "c"))
	first := d.post(docA, underKey, itsKey)
	first.want(t, 201, "made")
	first.wantFields(t, "Set-Cookie", "a=b", "X-Legacy", "c", "Rollout-Replayed", "")
	for range 2 {
		again := d.post(docA, underKey, itsKey)
		again.want(t, 201, "made")
		again.wantFields(t, "Content-Type", "text/x", "Location", "/a", "Etag", `"1"`, "Link", "<a> | <b>", "Set-Cookie", "", "X-Legacy", "",
			"Content-Length", "4", "Rollout-Replayed", "true", "Rollout-Path", "legacy", "Rollout-Reason", "claim")
	}
	d.wantSent(1)
	d.post(`{"doc_id":"a","b":1}`, underKey, itsKey).wantProblem(t, http.StatusUnprocessableEntity, "key-reused", "")
	if sent, replayed := d.observer.next(), d.observer.next(); !sent.Sent || replayed.Sent || replayed.Decision.Path != rollout.Legacy || replayed.Result.Status != 201 {
		t.Errorf("records %+v, %+v", sent, replayed)
	}
}

// Without a key, or without the setting, legacy gets every request.
func TestLegacyAnswersEveryRetry(t *testing.T) {
	for name, row := range map[string]struct {
		fields  []string
		options []func(*setup)
	}{
		"without a key": {nil, []func(*setup){keeping(&kept{})}},
		"pass":          {[]string{underKey, itsKey}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			d := openDoor(t, row.options...)
			for range 3 {
				d.post(docA, row.fields...).wantFields(t, "Rollout-Replayed", "")
			}
			d.wantSent(3)
		})
	}
}

// An answer for good is the retry's too; one that asks for a repeat is not.
func TestWhichAnswersAreKept(t *testing.T) {
	for status, sends := range map[int]int{
		200: 1, 204: 1, 303: 1, 400: 1, 404: 1, 409: 1, 422: 1,
		401: 2, 403: 2, 407: 2, 408: 2, 425: 2, 429: 2, 500: 2, 502: 2, 503: 2, 504: 2,
	} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			d := openDoor(t, keeping(&kept{}), says(status, ""))
			for range 2 {
				d.post(docA, underKey, itsKey).want(t, status, "")
			}
			d.wantSent(sends)
		})
	}
}

// What legacy did not answer as a whole is not kept, and goes there again.
func TestWithoutAWholeAnswerLegacyGetsTheRetry(t *testing.T) {
	for name, end := range map[string]func(http.ResponseWriter) (rollout.Result, error){
		"refused":   func(http.ResponseWriter) (rollout.Result, error) { return rollout.Result{}, rollout.ErrNotAccepted },
		"ambiguous": func(http.ResponseWriter) (rollout.Result, error) { return rollout.Result{}, errors.New("reset") },
		"truncated": func(w http.ResponseWriter) (rollout.Result, error) {
			_, err := io.WriteString(w, "by leg")
			return rollout.Result{Status: 200, Outcome: rollout.OutcomeTruncated, Err: err}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			first := true
			d := openDoor(t, keeping(&kept{}), answering(func(_ context.Context, w http.ResponseWriter, _ *http.Request) (rollout.Result, error) {
				if first {
					first = false
					return end(w)
				}
				_, err := io.WriteString(w, "by legacy")
				return rollout.Result{Status: 200}, err
			}))
			if response, err := d.client.Do(d.request(http.MethodPost, "/v1/documents", strings.NewReader(docA), underKey, itsKey)); err == nil {
				response.Body.Close()
			}
			d.post(docA, underKey, itsKey).want(t, 200, "by legacy")
			d.post(docA, underKey, itsKey).wantFields(t, "Rollout-Replayed", "true")
			d.wantSent(2)
		})
	}
}

func TestSecondRequestWhileTheFirstIsUnderWay(t *testing.T) {
	arrived, finish := make(chan struct{}), make(chan struct{})
	d := openDoor(t, keeping(&kept{}), answering(func(_ context.Context, w http.ResponseWriter, _ *http.Request) (rollout.Result, error) {
		close(arrived) // twice would panic
		<-finish
		_, err := io.WriteString(w, "by legacy")
		return rollout.Result{Status: 200}, err
	}))
	first := make(chan answer, 1)
	go func() { first <- d.post(docA, underKey, itsKey) }()
	<-arrived
	second := d.post(docA, underKey, itsKey)
	second.wantProblem(t, http.StatusConflict, "under-way", "")
	second.wantFields(t, "Retry-After", "2", "Rollout-Path", "legacy", "Rollout-Reason", "claim")
	close(finish)
	(<-first).want(t, 200, "by legacy")
	d.post(docA, underKey, itsKey).want(t, 200, "by legacy")
	d.wantSent(1)
}

// An answer that is too large is its client's, and nobody else's.
func TestLargeAnswerIsNotKept(t *testing.T) {
	for size, want := range map[int]int{900: 200, 1000: 409, 100_000: 409} {
		d := openDoor(t, keeping(&kept{}), says(200, strings.Repeat("a", size), "Content-Type", "text/x"))
		d.post(docA, underKey, itsKey).want(t, 200, strings.Repeat("a", size))
		again := d.post(docA, underKey, itsKey)
		again.want(t, want, "")
		again.wantFields(t, "Rollout-Replayed", "true")
		if want == 409 {
			again.wantProblem(t, 409, "answer-gone", "")
		}
		d.wantSent(1)
	}
}

// A gateway that dies between the two has kept the answer and left the claim open,
// never the other way round.
func TestAnswerIsKeptBeforeTheClaimIsSettled(t *testing.T) {
	k, looked := &kept{}, false
	d := openDoor(t, keeping(k))
	k.keeping = func() {
		looked = true
		if h, err := d.records.Get(t.Context(), "a"); err != nil || !h.Claims[0].Open() {
			t.Errorf("the claim is settled already: %+v, %v", h, err)
		}
	}
	d.post(docA, underKey, itsKey).want(t, 200, "by legacy")
	if h, err := d.records.Get(t.Context(), "a"); err != nil || !looked || h.Claims[0].State != rollout.ClaimDone {
		t.Errorf("%+v, %v", h, err)
	}
}

// The answer is on record before the claim says so. So if the gateway dies in
// between the retry gets the answer: at once, or after the claim was given up.
func TestGatewayDiesAfterItKeptTheAnswer(t *testing.T) {
	for name, adopt := range map[string]bool{"still open": false, "lost": true} {
		t.Run(name, func(t *testing.T) {
			k := &kept{}
			d := openDoor(t, keeping(k))
			intent := rollout.KeyedIntent("documents", "", "a", itsKey)
			var life uint64
			err := d.records.Update(t.Context(), "a", func(h *rollout.Holding, at rollout.Instant) error {
				grant, err := h.Take(rollout.Ask{Intent: intent, Route: "documents", Owner: "dead", Once: true}, at)
				life = grant.Life
				if adopt {
					h.Adopt("dead", "test", 0, at)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			key := rollout.AnswerKey{DocID: "a", Intent: intent, Life: life}
			if err := k.KeepAnswer(t.Context(), key, &rollout.Answer{Status: 200, Body: []byte("before")}); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				again := d.post(docA, underKey, itsKey)
				again.want(t, 200, "before")
				again.wantFields(t, "Rollout-Replayed", "true", "Rollout-Path", "legacy", "Rollout-Reason", "claim")
			}
			d.wantSent(0)
			if h, err := d.records.Get(t.Context(), "a"); err != nil || adopt != (h.Claims[0].State == rollout.ClaimDone) {
				t.Errorf("the claim is %v, %v", h.Claims[0].State, err)
			}
		})
	}
}

// While the record cannot be read nothing goes to legacy that may have been there.
func TestRecordOfAnswersIsAway(t *testing.T) {
	k := &kept{}
	d := openDoor(t, keeping(k))
	d.post(docA, underKey, itsKey).want(t, 200, "by legacy")
	k.breakWith(errors.New("as ordered"))
	d.post(docA, underKey, itsKey).wantProblem(t, http.StatusServiceUnavailable, "replay-unavailable", "")
	// A new one is served all the same; its retry is told that nothing is left.
	d.post(`{"doc_id":"b"}`, underKey, itsKey).want(t, 200, "by legacy")
	k.breakWith(nil)
	d.post(docA, underKey, itsKey).want(t, 200, "by legacy")
	d.post(`{"doc_id":"b"}`, underKey, itsKey).wantProblem(t, http.StatusConflict, "answer-gone", "")
	d.wantSent(2)
}

// Legacy is not asked again, so somebody else has to be whether the client may.
func TestReplayIsForWhoMay(t *testing.T) {
	k := &kept{}
	d := openDoor(t, keeping(k), guarded(authoriseFunc(func(_ context.Context, r *http.Request) (*router.Refusal, error) {
		if r.Header.Get("Authorization") != "Bearer a" {
			return &router.Refusal{Status: 401}, nil
		}
		return nil, nil
	})))
	d.post(docA, underKey, itsKey, "Authorization", "Bearer a").want(t, 200, "by legacy")
	denied := d.post(docA, underKey, itsKey, "Authorization", "Bearer b")
	denied.want(t, 401, "")
	denied.wantFields(t, "Rollout-Replayed", "")
	d.post(docA, underKey, itsKey, "Authorization", "Bearer a").want(t, 200, "by legacy")
	d.wantSent(1)
	k.answers = map[[16]byte][]byte{}
	d.post(docA, underKey, itsKey, "Authorization", "Bearer b").want(t, 401, "")
}

// A client that leaves before its answer is who repeats the request most of all.
func TestAnswerIsKeptForAClientThatLeft(t *testing.T) {
	l := newLeaver()
	d := openDoor(t, keeping(&kept{}), func(s *setup) {
		s.around = func(next http.Handler) http.Handler {
			watched := l.watch(next)
			var once sync.Once
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				served := next
				once.Do(func() { served = watched })
				served.ServeHTTP(w, r)
			})
		}
	}, answering(func(ctx context.Context, w http.ResponseWriter, r *http.Request) (rollout.Result, error) {
		if err := l.outlast(ctx); err != nil {
			return rollout.Result{}, err
		}
		for range 100 { // some of it is written to a connection that is closed
			if _, err := io.WriteString(w, "a"); err != nil {
				return rollout.Result{Status: 200, Outcome: rollout.OutcomeCanceled, Err: err}, nil
			}
			_ = http.NewResponseController(w).Flush()
			time.Sleep(time.Millisecond)
		}
		if err := r.Context().Err(); err != nil {
			return rollout.Result{Status: 200, Outcome: rollout.OutcomeCanceled, Err: err}, nil
		}
		return rollout.Result{Status: 200}, nil
	}))
	l.send(d, strings.Replace(rawDocument, "Host: a\r\n", "Host: a\r\nIdempotency-Key: k\r\n", 1))
	if record := d.observer.next(); record.Result.Outcome != rollout.OutcomeCanceled {
		t.Errorf("record %+v", record)
	}
	again := d.post(docA, underKey, itsKey)
	again.want(t, 200, strings.Repeat("a", 100))
	again.wantFields(t, "Rollout-Replayed", "true")
	d.wantSent(1)
}
