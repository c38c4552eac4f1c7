// Package file is an OpenFeature provider that reads flags from a JSON file in
// flagd's format and follows every change of it.
//
// Invariants:
//   - A file that is being written is never an alarm: what cannot be read or
//     understood is reported only once it has stayed so for several polls. Until
//     then, the flags of the last good file are served.
//   - A definition that is not understood to the last member is refused, never
//     guessed at: targeting, unknown members, a default variant that is none.
//   - One flag's bad definition leaves the others alone. Text that is not JSON
//     spoils them all.
//   - No evaluation touches the disk.
//
// What evaluations answer: FLAG_NOT_FOUND for a flag that the file lacks,
// PARSE_ERROR for a file or a definition that is not understood, TYPE_MISMATCH
// for a value of another type, GENERAL for a file that cannot be read. A flag
// whose state is DISABLED gets the caller's default with reason DISABLED and no
// error, as OpenFeature has it.
package file

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/open-feature/go-sdk/openfeature"
)

const (
	interval = 50 * time.Millisecond
	// hung is how long polling may have stood still before its last view of the
	// file counts as no view at all.
	hung = 5 * time.Second
)

// Provider serves the flags of one file. It is safe for concurrent use.
type Provider struct {
	path    string
	started time.Time
	view    atomic.Pointer[view]
	polled  atomic.Int64 // when the last poll ended, in ns since started
	events  chan openfeature.Event
	stop    chan struct{}
	done    chan struct{}
	watch   watcher // owned by Init, then by the polling goroutine

	mu      sync.Mutex
	running bool // guarded by mu
	ended   bool // guarded by mu
}

// view is what evaluations see: the flags of a file, or why there are none.
// It is immutable.
type view struct {
	flags map[string]definition
	fault *openfeature.ResolutionError
}

// New returns a provider of the file at path. The file need not exist yet; it
// is first read by Init. It fails if path is empty.
func New(path string) (*Provider, error) {
	if path == "" {
		return nil, errors.New("the path of the flag file is empty: name a JSON file in flagd's format")
	}
	return &Provider{
		path:    path,
		started: time.Now(),
		events:  make(chan openfeature.Event, 1),
		stop:    make(chan struct{}),
		done:    make(chan struct{}),
		watch:   newWatcher(path),
	}, nil
}

// Metadata names the provider.
func (p *Provider) Metadata() openfeature.Metadata { return openfeature.Metadata{Name: "file"} }

// Hooks returns none.
func (p *Provider) Hooks() []openfeature.Hook { return nil }

// EventChannel carries a configuration change whenever evaluations may answer
// otherwise than before, also for the worse. It is never closed. Errors are not
// events: a client's state would stay ERROR if the next event were dropped.
func (p *Provider) EventChannel() <-chan openfeature.Event { return p.events }

// Init reads the file and begins to follow it. A file that is bad is not an
// error here but one of each evaluation. It fails after Shutdown.
func (p *Provider) Init(openfeature.EvaluationContext) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return errors.New("the file provider was shut down: make a new one")
	}
	if p.running {
		return nil
	}
	p.running = true
	for p.poll(); p.view.Load() == nil; p.poll() {
		time.Sleep(interval)
	}
	go p.run()
	return nil
}

// Shutdown ends the polling and returns once it has ended.
func (p *Provider) Shutdown() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ended {
		p.ended = true
		close(p.stop)
	}
	if p.running {
		<-p.done
	}
}

func (p *Provider) run() {
	defer close(p.done)
	ticks := time.NewTicker(interval)
	defer ticks.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-ticks.C:
			p.poll()
		}
	}
}

func (p *Provider) poll() {
	changed := p.watch.poll()
	p.polled.Store(int64(time.Since(p.started)))
	if !changed {
		return
	}
	p.view.Store(p.watch.view)
	select {
	case p.events <- openfeature.Event{
		ProviderName:         p.Metadata().Name,
		EventType:            openfeature.ProviderConfigChange,
		ProviderEventDetails: openfeature.ProviderEventDetails{Message: p.path + " changed"},
	}:
	default: // the event that waits there says the same
	}
}
