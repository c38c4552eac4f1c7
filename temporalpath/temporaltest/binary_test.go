package temporaltest

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestBinaryIsStaleWhenASourceIsNewer(t *testing.T) {
	t.Parallel()
	sources := t.TempDir()
	binary := filepath.Join(t.TempDir(), "devstack")
	built := time.Now().Add(-time.Hour)
	write := func(path string, modified time.Time) {
		t.Helper()
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, modified, modified); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(want bool, when string) {
		t.Helper()
		if fresh, err := newerThan(binary, sources); err != nil || fresh != want {
			t.Errorf("%s: fresh %v, %v", when, fresh, err)
		}
	}
	write(filepath.Join(sources, "main.go"), built.Add(-time.Minute))
	expect(false, "no binary")
	write(binary, built)
	expect(true, "binary newer")
	write(filepath.Join(sources, "go.sum"), built.Add(time.Minute))
	expect(false, "one source newer")
}

func TestNamedBinaryMustExist(t *testing.T) {
	t.Setenv("SLUICE_DEVSTACK", filepath.Join(t.TempDir(), "absent"))
	if path, err := upToDateBinary(); err == nil {
		t.Errorf("took %s", path)
	}
}
