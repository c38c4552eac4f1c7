// Package oldservice is the legacy service of the chaos harness. It writes down
// what it ingests, and behaves as badly as services do.
package oldservice

import (
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"sluice/cmd/internal/chaos/ledger"
	"sluice/cmd/internal/chaos/wishes"
)

// Service is the legacy service.
type Service struct {
	ledger   *ledger.Ledger
	listener net.Listener
	server   *http.Server
	calm     atomic.Bool

	mu  sync.Mutex
	rng *rand.Rand // guarded by mu
}

// longest is how long the service may take; shorter than the gateway's patience.
const longest = 1500 * time.Millisecond

// New serves until Close.
func New(l *ledger.Ledger, seed uint64) (*Service, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Service{ledger: l, listener: listener, rng: rand.New(rand.NewPCG(seed, 0x01d))}
	s.server = &http.Server{Handler: http.HandlerFunc(s.serve), ReadHeaderTimeout: time.Minute}
	go func() { _ = s.server.Serve(listener) }() // it ends when it is closed
	return s, nil
}

// Address is where the service listens.
func (s *Service) Address() string { return s.listener.Addr().String() }

// Calm makes it behave.
func (s *Service) Calm() { s.calm.Store(true) }

// Close ends it.
func (s *Service) Close() { _ = s.server.Close() }

// fate is what becomes of one request.
type fate struct {
	name          string
	before, after time.Duration // pauses around the effect
	effect        bool
	status        int // 0: the connection is closed instead
}

func (s *Service) draw() fate {
	f := fate{name: "served", effect: true, status: http.StatusOK}
	if s.calm.Load() {
		return f
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	pause := time.Duration(s.rng.Float64() * float64(longest))
	switch luck := s.rng.Float64(); {
	case luck < 0.03:
		f.name, f.before = "slow", pause
	case luck < 0.06:
		f.name, f.after = "slow to answer", pause
	case luck < 0.09:
		f.name, f.status = "closed after reading", 0
	case luck < 0.12:
		f.name, f.status, f.effect = "refused", http.StatusServiceUnavailable, false
	case luck < 0.14:
		f.name, f.status = "failed after the effect", http.StatusInternalServerError
	}
	return f
}

func (s *Service) serve(w http.ResponseWriter, r *http.Request) {
	n, attempt, ok := wishes.ParseAttempt(r.Header.Get(wishes.AttemptField))
	if !ok {
		http.Error(w, "no attempt", http.StatusBadRequest)
		return
	}
	ended := s.ledger.Arrived(n, attempt)
	if !whole(r, n) {
		ended(false, true, "broke off in the middle")
		panic(http.ErrAbortHandler)
	}
	f := s.draw()
	time.Sleep(f.before)
	gone := r.Context().Err() != nil
	time.Sleep(f.after)
	ended(f.effect, gone || r.Context().Err() != nil || f.status == 0, f.name)
	if f.status == 0 {
		panic(http.ErrAbortHandler)
	}
	answer, _ := json.Marshal(wishes.Answer{Path: "legacy", Wish: n}) // it cannot fail
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.status)
	_, _ = w.Write(answer) // the gateway may have left
}

// whole reads the request and reports whether all of it came.
func whole(r *http.Request, wish int) bool {
	body, err := io.ReadAll(r.Body)
	if r.Method == http.MethodDelete {
		return err == nil
	}
	var doc wishes.Document
	return errors.Join(err, json.Unmarshal(body, &doc)) == nil && doc.Wish == wish
}
