package router_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"sluice/rollout"
	"sluice/router"
)

func TestRecord(t *testing.T) {
	for _, row := range []struct {
		name, method, target, body string
		percent                    float64
		want                       rollout.Record
	}{
		{"Temporal", http.MethodPost, "/v1/documents?a=b", document("doc-123"), 100, rollout.Record{
			Route: "documents", DocID: "doc-123", Method: "POST", Target: "/v1/documents", Sent: true, BytesIn: 20,
			Decision: rollout.Decision{Path: rollout.Temporal, Bucket: 362_837, Epoch: 7},
			Result:   rollout.Result{Status: 200, BytesOut: 17}}},
		{"legacy", http.MethodPost, "/v1/documents", document("doc-123"), 0, rollout.Record{
			Route: "documents", DocID: "doc-123", Method: "POST", Target: "/v1/documents", Sent: true, BytesIn: 20,
			Decision: rollout.Decision{Bucket: 362_837, Epoch: 7},
			Result:   rollout.Result{Status: 200, BytesOut: 9}}},
		{"passed", http.MethodGet, "/a?b=c", "", 100, rollout.Record{
			Method: "GET", Target: "/a", Sent: true, Result: rollout.Result{Status: 200, BytesOut: 9}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := openDoor(t, at(row.percent))
			before := time.Now()
			d.send(row.method, row.target, row.body).want(t, http.StatusOK, "")
			got := d.observer.next()
			if got.Started.Before(before) || got.Duration <= 0 || got.Duration > time.Since(before) {
				t.Errorf("from %v, for %v", got.Started, got.Duration)
			}
			if (got.Intent != "") != (got.DocID != "") {
				t.Errorf("intent %q", got.Intent)
			}
			got.Started, got.Duration, got.Intent = time.Time{}, 0, ""
			if got != row.want {
				t.Errorf("record\n%+v, want\n%+v", got, row.want)
			}
			if len(d.observer.records) > 0 {
				t.Error("it was observed twice")
			}
		})
	}
}

// What was sent is in flight until it ends, on its path and once; what the
// gateway itself turned away never was.
func TestInFlight(t *testing.T) {
	d := openDoor(t, at(100), rejecting, func(s *setup) {
		s.temporal.run = func(ctx context.Context, doc *rollout.Document, wait time.Duration) (rollout.Run, error) {
			if doc.DocID == "bad" {
				return rollout.Run{}, errors.New("as ordered")
			}
			return goesOn(ctx, doc, wait)
		}
		s.Body.Max = 100
	})
	d.post(document("good"))
	d.post(document("bad"))
	d.send(http.MethodGet, "/other", "")
	for _, turnedAway := range []func(){
		func() { d.post("{}") },
		func() { d.post(padded(101)) },
		func() { d.send(http.MethodGet, "/_sluice/x", "") },
	} {
		turnedAway()
	}
	began, ended := d.observer.flights()
	if want := []rollout.Path{rollout.Temporal, rollout.Temporal, rollout.Legacy}; !slices.Equal(began, want) || ended != 3 {
		t.Errorf("in flight: %v, of which %d are done; want %v", began, ended, want)
	}
}

func TestInFlightLastsAsLongAsTheCall(t *testing.T) {
	held, release := make(chan struct{}), make(chan struct{})
	d := openDoor(t, answering(func(_ context.Context, w http.ResponseWriter, _ *http.Request) (rollout.Result, error) {
		close(held)
		<-release
		w.WriteHeader(http.StatusNoContent)
		return rollout.Result{Status: http.StatusNoContent}, nil
	}))
	got := make(chan answer)
	go func() { got <- d.post(docA) }()
	<-held
	if began, ended := d.observer.flights(); len(began) != 1 || ended != 0 {
		t.Errorf("%d in flight, %d done", len(began), ended)
	}
	if len(d.observer.records) > 0 {
		t.Error("it was observed before its answer")
	}
	close(release)
	(<-got).want(t, http.StatusNoContent, "")
}

// writes counts the bytes of an answer as they are written.
type writes struct {
	http.ResponseWriter
	bytes *atomic.Int64
}

func (w writes) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	w.bytes.Add(int64(n))
	return n, err
}

func (w writes) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// lateObserver notes how much of the answer was written when it was called.
type lateObserver struct {
	router.Observer
	written *atomic.Int64
	seen    chan int64
}

func (o lateObserver) Observe(record *rollout.Record) {
	o.seen <- o.written.Load()
	o.Observer.Observe(record)
}

func TestObserversComeAfterTheAnswer(t *testing.T) {
	for name, row := range map[string]struct {
		percent float64
		target  string
		body    string
	}{
		"Temporal":   {100, "/v1/documents", docA},
		"legacy":     {0, "/v1/documents", docA},
		"unroutable": {0, "/v1/documents", "{}"},
		"body":       {0, "/v1/documents", padded(101)},
		"passed":     {0, "/other", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var written atomic.Int64
			seen := make(chan int64, 2)
			count := func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					next.ServeHTTP(writes{w, &written}, r)
				})
			}
			d := openDoor(t, at(row.percent), func(s *setup) {
				s.around, s.Body.Max = count, 100
				s.observe = func(o router.Observer) router.Observer { return lateObserver{o, &written, seen} }
			})
			got := d.send(http.MethodPost, row.target, row.body)
			if n := <-seen; n != int64(len(got.body)) || n == 0 {
				t.Errorf("observed when %d bytes of %d were written", n, len(got.body))
			}
		})
	}
}

// An answer of legacy's that broke off must not look whole to its client.
func TestTruncatedAnswerIsCut(t *testing.T) {
	for method, target := range map[string]string{http.MethodPost: "/v1/documents", http.MethodGet: "/other"} {
		t.Run(method, func(t *testing.T) {
			d := openDoor(t, answering(func(_ context.Context, w http.ResponseWriter, _ *http.Request) (rollout.Result, error) {
				n, _ := io.WriteString(w, "the first half")
				return rollout.Result{Status: 200, Outcome: rollout.OutcomeTruncated, BytesOut: int64(n)}, nil
			}))
			response, err := d.client.Do(d.request(method, target, chunked(docA)))
			if err == nil {
				defer response.Body.Close()
				if body, err := io.ReadAll(response.Body); err == nil {
					t.Errorf("the client takes %q for whole", body)
				}
			}
			if record := d.observer.next(); record.Result.Outcome != rollout.OutcomeTruncated || record.Result.BytesOut != 14 {
				t.Errorf("record %+v", record)
			}
		})
	}
}

func TestAccessLog(t *testing.T) {
	for _, on := range []bool{true, false} {
		core, lines := observer.New(zapcore.InfoLevel)
		d := openDoor(t, at(100), func(s *setup) { s.Log, s.AccessLog = zap.New(core), on })
		d.post(document("doc-123"))
		d.post("{}")
		d.send(http.MethodGet, "/other", "")
		if !on {
			if lines.Len() > 0 {
				t.Errorf("lines %v", lines.All())
			}
			continue
		}
		if lines.Len() != 3 {
			t.Fatalf("lines %v", lines.All())
		}
		fields := lines.All()[0].ContextMap()
		for name, want := range map[string]any{
			"route": "documents", "doc_id": "doc-123", "method": "POST", "target": "/v1/documents", "path": "temporal",
			"reason": "split", "bucket": uint32(362_837), "epoch": uint64(7), "status": int64(200), "outcome": "ok",
			"bytes_in": int64(20), "bytes_out": int64(17),
		} {
			if fields[name] != want {
				t.Errorf("%s is %v, want %v", name, fields[name], want)
			}
		}
	}
}
