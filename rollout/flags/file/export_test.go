package file

import "io/fs"

// The limits, for tests.
const (
	Interval  = interval
	Patience  = patience
	Reread    = rereadEvery
	Hung      = hung
	SizeLimit = sizeLimit
)

// SetStat replaces the call that looks at the file; before Init only.
func (p *Provider) SetStat(stat func(string) (fs.FileInfo, error)) { p.watch.stat = stat }

// Polled is a provider's watcher without its goroutine.
type Polled struct{ w watcher }

// NewPolled returns a watcher of the file.
func NewPolled(path string) *Polled { return &Polled{newWatcher(path)} }

// Poll looks once.
func (p *Polled) Poll() bool { return p.w.poll() }
