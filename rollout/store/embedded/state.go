package embedded

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// state is what the state file says of the store's last life.
type state struct {
	// Salt is the directory's secret.
	Salt uint32 `json:"secret"`
	// Fence stands where builds of the first layout look for the secret: a number
	// that is no number ends them. They would read claims in their old meaning.
	Fence json.RawMessage `json:"salt"`
	// Boot names the machine's boot that it lived in.
	Boot string `json:"boot"`
	// Clean: it ended with Close.
	Clean bool `json:"clean"`
	// Sync: what it had stored was on the disk.
	Sync bool `json:"sync"`
	// Mark is the highest exposure that ever was in force; nil if nobody knows.
	Mark *mark `json:"mark,omitempty"`
	// Lost: claims may be missing since a loss of power.
	Lost bool `json:"lost"`
	// Books are what they were when the log was last empty, encoded.
	Books []byte `json:"books,omitempty"`
	// Counts are the totals, as rollout.AppendCounts wrote them, of the same time.
	Counts []byte `json:"counts,omitempty"`
}

const stateFile = "state"

// fence is what a build of the first layout shows of it.
const fence = `"this directory belongs to a newer build of sluice: run that one"`

// loadState reads the state file. A directory without segments needs none.
func loadState(dir string) (state, error) {
	path := filepath.Join(dir, stateFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return firstState(dir)
	}
	if err != nil {
		return state{}, err
	}
	var s state
	err = json.Unmarshal(text, &s)
	if err == nil && string(s.Fence) != fence {
		err = json.Unmarshal(s.Fence, &s.Salt) // the first layout's
	}
	if err != nil {
		return state{}, fmt.Errorf("%s is damaged, and without it the claims cannot be read: %w; %s", path, err, advice)
	}
	return s, nil
}

func firstState(dir string) (state, error) {
	ids, err := segmentIDs(dir)
	if err != nil {
		return state{}, err
	}
	if len(ids) > 0 {
		return state{}, fmt.Errorf("there are claims in %s, but the file %q that says how to read them is not there; %s", dir, stateFile, advice)
	}
	var salt [4]byte
	_, _ = rand.Read(salt[:]) // never fails
	return state{Salt: binary.NativeEndian.Uint32(salt[:]), Clean: true}, nil
}

// save replaces the state file, durably.
func (s state) save(dir string) error {
	return replaceFile(filepath.Join(dir, stateFile), s.encode(), true)
}

// encode returns what the state file is to say.
func (s state) encode() []byte {
	s.Fence = json.RawMessage(fence)
	text, _ := json.Marshal(s) // nothing in it can fail
	return text
}

// bootFile holds another name after each boot of the machine.
const bootFile = "/proc/sys/kernel/random/boot_id"

// bootID names this boot of the machine; "" if that cannot be found out, and then
// every unclean end counts as a loss of power.
func bootID() string {
	id, err := os.ReadFile(bootFile)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}
