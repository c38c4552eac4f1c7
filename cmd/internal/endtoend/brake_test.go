package endtoend_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/router/operator"
)

const brakeMetric = `rollout_exposure_ratio{ceiling="brake"}`

// brake acts on the brake through a gateway and checks the answer's status.
func (s *stack) brake(t *testing.T, address, path, body string, status int) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if a, err := send(s.client, request); err != nil || a.status != status {
		t.Fatalf("%s: %v, %v", path, a, err)
	}
}

func (s *stack) rollBack(t *testing.T, address string) {
	t.Helper()
	s.brake(t, address, "/api/brake", `{"ceiling":0,"reason":"a test"}`, http.StatusOK)
}

func (s *stack) release(t *testing.T, address string) {
	t.Helper()
	s.brake(t, address, "/api/brake/release", `{"reason":"mended"}`, http.StatusOK)
}

// starts posts new documents to a gateway, one after the other, until it is
// stopped. It returns once some went to Temporal; stop returns when the last of
// these began.
func (s *stack) starts(t *testing.T, address, prefix string) (stop func() time.Time) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var last atomic.Pointer[time.Time]
	var running sync.WaitGroup
	running.Go(func() {
		for n := 0; ctx.Err() == nil; n++ {
			began := time.Now()
			a, err := s.postTo(t.Context(), address, documentBody(fmt.Sprint(prefix, n)), "Prefer", "respond-async")
			if err != nil || a.status >= 300 {
				t.Errorf("%v, %v", a, err)
				return
			}
			if a.path() == "temporal" {
				last.Store(&began)
			}
		}
	})
	eventually(t, address+" starts documents on Temporal", func() bool { return last.Load() != nil })
	return func() time.Time { cancel(); running.Wait(); return *last.Load() }
}

// wantBraked posts new documents, of which half would go to Temporal at 50 %.
func (s *stack) wantBraked(t *testing.T, address, prefix string) {
	t.Helper()
	for n := range 20 {
		id := fmt.Sprint(prefix, n)
		want := map[string]string{"legacy": "split", "temporal": "brake"}[expectedPath(id, 50)]
		a, err := s.postTo(t.Context(), address, documentBody(id))
		if err != nil || a.status != http.StatusOK || a.path() != "legacy" || a.header.Get("Rollout-Reason") != want {
			t.Errorf("%s: %v, %v", id, a, err)
		}
	}
}

// A rollback through one gateway stops new starts on all, with the flag source gone
// and with Temporal gone; what is in flight ends where it is; a restart changes
// nothing, and a release does.
func TestRollback(t *testing.T) {
	t.Parallel()
	s, _ := onPostgres(t)
	s.work(t)
	settings := append(s.settings, "data="+s.dir+"/second")
	second, stop := s.runGateway(t, settings)
	defer func() { stop() }()
	first := s.gateway
	s.rollTo(t, 50)
	s.reads(t, second.OperatorAddress(), exposure, "0.5")
	s.setFaults(t, s.worker.Address(), `{"latency":"4s"}`)
	flying := ""
	for n := 0; flying == "" || expectedPath(flying, 50) != "temporal"; n++ {
		flying = fmt.Sprint("flying-", n)
	}
	if a, err := s.postTo(t.Context(), second.PublicAddress(), documentBody(flying), "Prefer", "respond-async"); err != nil || a.status != http.StatusAccepted {
		t.Fatalf("%v, %v", a, err)
	}
	if err := os.Remove(s.flagFile); err != nil {
		t.Fatal(err)
	}
	ends := []func() time.Time{s.starts(t, first.PublicAddress(), "here-"), s.starts(t, second.PublicAddress(), "there-")}
	began := time.Now()
	s.rollBack(t, first.OperatorAddress())
	took := time.Since(began)
	time.Sleep(1500 * time.Millisecond)
	for i, end := range ends {
		last := end()
		t.Logf("gateway %d: the rollback was answered after %v, the last start on Temporal began %v after it was asked for", i+1, took, last.Sub(began))
		if last.Sub(began) > 5*time.Second {
			t.Errorf("gateway %d: the last start was at %v, the rollback at %v", i+1, last, began)
		}
	}
	for i, g := range []string{first.PublicAddress(), second.PublicAddress()} {
		s.wantBraked(t, g, fmt.Sprint("after-", i, "-"))
	}
	s.setFaults(t, s.worker.Address(), `{}`)
	if a := s.mustPost(t, string(documentBody(flying)), "Prefer", "wait=30"); a.status != http.StatusOK || a.path() != "temporal" {
		t.Errorf("what was in flight: %v", a)
	}
	s.release(t, second.OperatorAddress())
	for _, g := range []string{first.OperatorAddress(), second.OperatorAddress()} {
		s.reads(t, g, exposure, "0.5") // with the flag file gone, the last good value
	}
	s.server.Kill()
	s.rollBack(t, second.OperatorAddress())
	for _, g := range []string{first.OperatorAddress(), second.OperatorAddress()} {
		s.reads(t, g, brakeMetric, "0")
	}
	s.wantBraked(t, first.PublicAddress(), "dead-")
	stop()
	second, stop = s.runGateway(t, settings)
	s.reads(t, second.OperatorAddress(), brakeMetric, "0")
	s.wantBraked(t, second.PublicAddress(), "again-")
	var status operator.Rollout
	if err := json.Unmarshal(get(t, s.client, "http://"+second.OperatorAddress()+"/api/rollout").body, &status); err != nil ||
		status.Brake != 0 || status.Flag != 50 || status.Effective != 0 || status.Actor != "loopback" || status.Reason != "a test" || status.At.IsZero() {
		t.Errorf("the status is %+v, %v", status, err)
	}
	s.release(t, second.OperatorAddress())
	s.reads(t, first.OperatorAddress(), exposure, "0.5")
}

// With the database away a rollback is in force where it was asked for, and
// everywhere once the database is back, even if that gateway was restarted.
func TestRollbackWithTheDatabaseAway(t *testing.T) {
	t.Parallel()
	s, server := onPostgres(t)
	s.work(t)
	settings := append(s.settings, "data="+s.dir+"/second")
	second, stop := s.runGateway(t, settings)
	defer func() { stop() }()
	s.rollTo(t, 50)
	s.reads(t, second.OperatorAddress(), exposure, "0.5")
	server.Kill()
	s.brake(t, second.OperatorAddress(), "/api/brake", `{"ceiling":0,"reason":"a test"}`, http.StatusAccepted)
	s.reads(t, second.OperatorAddress(), brakeMetric, "0")
	s.brake(t, second.OperatorAddress(), "/api/brake/release", `{"reason":"mended"}`, http.StatusServiceUnavailable)
	stop()
	second, stop = s.runGateway(t, settings)
	s.reads(t, second.OperatorAddress(), brakeMetric, "0")
	s.reads(t, s.gateway.OperatorAddress(), brakeMetric, "1")
	restart(t, server)
	s.reads(t, s.gateway.OperatorAddress(), brakeMetric, "0")
	s.reads(t, s.gateway.OperatorAddress(), exposure, "0")
	s.wantBraked(t, s.gateway.PublicAddress(), "back-")
	s.release(t, s.gateway.OperatorAddress())
	s.reads(t, second.OperatorAddress(), exposure, "0.5")
}

// A gateway of its own keeps its brake in a file.
func TestRollbackOfOneGateway(t *testing.T) {
	t.Parallel()
	s := assemble(t, "")
	settings := append(s.settings, "data="+s.dir+"/alone")
	s.rollTo(t, 50)
	g, stop := s.runGateway(t, settings)
	defer func() { stop() }()
	s.rollBack(t, g.OperatorAddress())
	s.brake(t, g.OperatorAddress(), "/api/brake", `{"ceiling":1,"reason":"more"}`, http.StatusConflict)
	s.wantBraked(t, g.PublicAddress(), "alone-")
	stop()
	g, stop = s.runGateway(t, settings)
	s.reads(t, g.OperatorAddress(), brakeMetric, "0")
	s.wantBraked(t, g.PublicAddress(), "again-")
	s.release(t, g.OperatorAddress())
	s.reads(t, g.OperatorAddress(), exposure, "0.5")
	stop()
	g, stop = s.runGateway(t, settings)
	s.reads(t, g.OperatorAddress(), exposure, "0.5")
	stop()
	if err := os.WriteFile(s.dir+"/alone/brake.json", []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	g, stop = s.runGateway(t, settings)
	s.reads(t, g.OperatorAddress(), exposure, "0")
}
