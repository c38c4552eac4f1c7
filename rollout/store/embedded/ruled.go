package embedded

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"sluice/rollout"
)

const (
	deskDir      = "desk"
	ruledFile    = "state"
	ruledVersion = 1
)

// ruled is what the desk's state file says.
type ruled struct {
	Version int              `json:"version"`
	State   []byte           `json:"state"`
	Plan    rollout.Exposure `json:"plan"`
	// Taken is taken, as rollout.AppendCounts writes it.
	Taken []byte `json:"taken"`
	// Ticks is what the file of ticks has.
	Ticks ticks `json:"ticks"`

	taken totals
}

// ticks are how many pages there are in a file, and since when.
type ticks struct {
	Pages int       `json:"pages"`
	Since time.Time `json:"since"`
}

// open reads the state file. Without one nothing was ever ruled.
func (d *desk) open(dir string, sync bool) error {
	d.dir, d.sync, d.now = filepath.Join(dir, deskDir), sync, ruled{Version: ruledVersion, Plan: rollout.All}
	path := filepath.Join(d.dir, ruledFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	} else if err == nil {
		d.now, err = parseRuled(text)
	}
	if err != nil {
		return fmt.Errorf("what was decided so far cannot be read: %s: %w; restore it from a copy; or, to begin anew, "+
			"lower the percentage to 0, move the file away, and raise it again: the plan is then at its first step", path, err)
	}
	d.plan.Store(uint32(d.now.Plan))
	return nil
}

func parseRuled(text []byte) (r ruled, err error) {
	if err := json.Unmarshal(text, &r); err != nil {
		return r, err
	}
	if r.Version != ruledVersion || r.Plan > rollout.All {
		return r, fmt.Errorf("it has no version %d, or no plan up to %d", ruledVersion, rollout.All)
	}
	if len(r.State) == 0 {
		r.State = nil
	}
	var rest []byte
	if r.taken, rest, err = parseTotals(r.Taken); err == nil && len(rest) > 0 {
		err = rollout.ErrEncoding
	}
	return r, err
}

// keep adds the pages, and then replaces the state file. It needs mu.
func (d *desk) keep(next ruled, pages []rollout.Page, now time.Time) error {
	if next.Plan > rollout.All {
		return fmt.Errorf("a plan of %d is above %d", next.Plan, rollout.All)
	}
	for _, p := range pages {
		if !subject(p.Subject) {
			return fmt.Errorf("a page's subject is %q: it must be of the letters a to z and -", p.Subject)
		}
	}
	if err := d.makeDir(); err != nil {
		return err
	}
	if err := d.addPages(pages, now); err != nil {
		return fmt.Errorf("the desk's pages: %w", err)
	}
	next.Ticks = d.now.Ticks // they are in the file, whatever becomes of the rest
	next.Taken = rollout.AppendCounts(nil, next.taken.counts)
	text, err := json.Marshal(next)
	if err != nil {
		return err
	}
	if err := replaceFile(filepath.Join(d.dir, ruledFile), text, true); err != nil { // an empty file after a loss of power would keep the gateway down
		return fmt.Errorf("the desk's state: %w", err)
	}
	d.now = next
	return nil
}

func (d *desk) makeDir() error {
	err := os.Mkdir(d.dir, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err == nil && d.sync {
		err = syncDir(filepath.Dir(d.dir))
	}
	return err
}

// replaceFile writes a line to a new file that takes the path's place; with sync it
// is on the disk.
func replaceFile(path string, line []byte, sync bool) error {
	file, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(append(line, '\n'))
	if sync {
		err = errors.Join(err, file.Sync())
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil || !sync {
		return err
	}
	return syncDir(filepath.Dir(path))
}
