package compile

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// listed is the progress of a build of 1,310 packages of equal length, of which the
// cache has 310.
func listed(t *testing.T) progress {
	t.Helper()
	directory := t.TempDir()
	if err := os.WriteFile(filepath.Join(directory, "x.go"), make([]byte, 10_000), 0o600); err != nil {
		t.Fatal(err)
	}
	var listing strings.Builder
	for i := range 1310 {
		fmt.Fprintf(&listing, "%v\texample.org/p%d\t%s\tx.go\n", i >= 310, i, directory)
	}
	p, err := readListing(strings.NewReader(listing.String()), 2)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A build says how much is done of how much, what the cache had included, and about
// how long the rest takes, once that can be told.
func TestProgressInWords(t *testing.T) {
	t.Parallel()
	p := listed(t)
	begin := func(from, to int) {
		for i := from; i < to; i++ {
			if !p.begins(fmt.Sprintf("example.org/p%d", i)) {
				t.Errorf("%d is none of the packages", i)
			}
		}
	}
	check := func(took time.Duration, want string) {
		t.Helper()
		if got := p.text(took); got != want {
			t.Errorf("after %v: %q, want %q", took, got, want)
		}
	}
	check(0, "310 of 1,310 packages")
	begin(310, 320)
	check(5*time.Second, "318 of 1,310 packages") // the last two are under way
	check(time.Minute, "318 of 1,310 packages")   // too little to tell
	begin(320, 512)
	check(time.Minute, "510 of 1,310 packages, about 5 minutes left") // 840 to go at 200 a minute, linking included
	if p.begins("# example.org/p600") || p.begins("example.org/p1") || p.begins("example.org/p400") {
		t.Error("what is no package, or is compiled, begins")
	}
	begin(512, 1305)
	check(5*time.Minute, "1,303 of 1,310 packages, less than a minute left")
	begin(1305, 1310)
	check(5*time.Minute, "the last of 1,310 packages, then linking, less than a minute left")
}

// A package that is a hundred times as long counts as much.
func TestPackagesAreWeighed(t *testing.T) {
	t.Parallel()
	p := progress{packages: 2, stale: map[string]int64{"small": 1, "large": 99}, total: 100, parallel: 0}
	p.begins("small")
	if got, want := p.text(time.Minute), "1 of 2 packages"; got != want {
		t.Errorf("got %q, want %q: too little to tell", got, want)
	}
	p.begins("large")
	if got, want := p.text(time.Minute), "the last of 2 packages, then linking, less than a minute left"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
