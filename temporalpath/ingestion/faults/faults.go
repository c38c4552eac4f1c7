// Package faults makes a demonstration path go bad on purpose, while it runs:
// slow, failing for a share of the documents, or answering differently for a
// share of them.
//
// Which documents are hit depends on their doc_id alone: a retry meets the same
// fault, raising a share hits the same documents and more, and the two shares
// are independent of each other. Without settings nothing is hit.
package faults

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"
)

// maxLatency bounds the latency that can be asked for.
const maxLatency = 10 * time.Minute

// Settings is what goes wrong.
type Settings struct {
	// Latency is added to each document, 0 to ten minutes; in JSON a Go duration
	// such as "50ms".
	Latency Duration `json:"latency"`
	// ErrorRate is the share of documents, 0..1, that fail for good.
	ErrorRate float64 `json:"error_rate"`
	// Differ is the share of documents, 0..1, whose result differs.
	Differ float64 `json:"differ"`
}

// Duration is a time.Duration that reads and writes itself as Go does.
type Duration time.Duration

// MarshalJSON writes the duration as Go prints it.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// UnmarshalJSON reads a string such as "50ms".
func (d *Duration) UnmarshalJSON(text []byte) error {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return errors.New(`a duration is a string such as "50ms"`)
	}
	parsed, err := time.ParseDuration(s)
	if err != nil {
		return fmt.Errorf(`%q is no duration; write one such as "50ms"`, s)
	}
	*d = Duration(parsed)
	return nil
}

// Check names every setting that is out of range.
func (s Settings) Check() error {
	var problems []error
	if s.Latency < 0 || time.Duration(s.Latency) > maxLatency {
		problems = append(problems, fmt.Errorf("latency %s must be 0s to %s", time.Duration(s.Latency), maxLatency))
	}
	for name, share := range map[string]float64{"error_rate": s.ErrorRate, "differ": s.Differ} {
		if !(share >= 0 && share <= 1) {
			problems = append(problems, fmt.Errorf("%s %v must be 0 to 1", name, share))
		}
	}
	return errors.Join(problems...)
}

// Switch holds the settings in force. The zero Switch, and a nil one, do
// nothing. It may be used by many goroutines.
type Switch struct {
	usual    Settings
	settings atomic.Pointer[Settings]
}

// New returns a switch for a service that usually behaves as the settings say; it
// fails if they are out of range.
func New(usual Settings) (*Switch, error) {
	s := &Switch{usual: usual}
	return s, s.Set(usual)
}

// Set puts settings in force, or fails if they are out of range.
func (s *Switch) Set(settings Settings) error {
	if err := settings.Check(); err != nil {
		return err
	}
	s.settings.Store(&settings)
	return nil
}

// Settings returns what is in force.
func (s *Switch) Settings() Settings {
	if s == nil {
		return Settings{}
	}
	if settings := s.settings.Load(); settings != nil {
		return *settings
	}
	return Settings{}
}

// beatEvery is how often Delay calls back.
const beatEvery = 100 * time.Millisecond

// Delay waits for the latency in force at its begin, and calls beat now and
// then. It ends early, with the context's error, if ctx does.
func (s *Switch) Delay(ctx context.Context, beat func()) error {
	until := time.Now().Add(time.Duration(s.Settings().Latency))
	for left := time.Until(until); left > 0; left = time.Until(until) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(min(left, beatEvery)):
			beat()
		}
	}
	return nil
}

// Fails reports whether the document is to fail.
func (s *Switch) Fails(docID string) bool { return hit("error", docID, s.Settings().ErrorRate) }

// Differs reports whether the document's result is to differ.
func (s *Switch) Differs(docID string) bool { return hit("differ", docID, s.Settings().Differ) }

// hit tells whether a document is in the share, by a hash of its own per fault.
func hit(fault, docID string, share float64) bool {
	const precision = 1 << 53 // all of a float64's digits
	place := float64(xxhash.Sum64String("fault/"+fault+":"+docID)>>11) / precision
	return place < share
}
