package flags

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sluice/rollout"
)

const (
	stateVersion = 1
	// maxEpoch leaves room to count on; a number above it was not written here.
	maxEpoch = 1 << 62
)

// state is what the state file holds.
type state struct {
	Version int    `json:"version"`
	Epoch   uint64 `json:"epoch"`
	// InForce is the reading that the epoch's policy was made from, exposures
	// in steps of 0.0001 %.
	InForce rollout.Reading `json:"in_force"`
}

// load reads a state file. It returns nil without an error if there is none.
func load(path string) (*state, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var s state
	if err := json.Unmarshal(raw, &s, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &s, nil
}

func (s *state) check() error {
	switch {
	case s.Version != stateVersion:
		return fmt.Errorf("its version is %d, not %d", s.Version, stateVersion)
	case s.Epoch == 0 || s.Epoch > maxEpoch:
		return fmt.Errorf("its epoch %d is impossible", s.Epoch)
	case s.InForce.Rollout > rollout.All || s.InForce.Shadow > rollout.All:
		return fmt.Errorf("it holds an exposure above %d", rollout.All)
	}
	return nil
}

// save replaces the state file: whoever reads it, at any time and after any
// crash, finds the old state or the new one.
func (s *state) save(path string) error {
	raw, err := json.Marshal(s, jsontext.Multiline(true))
	if err != nil {
		return err
	}
	draft := path + ".tmp"
	if err := writeSynced(draft, append(raw, '\n')); err != nil {
		return err
	}
	if err := os.Rename(draft, path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func writeSynced(path string, raw []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	return errors.Join(err, f.Sync(), f.Close())
}
