package temporaltest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Binary returns the path of a devstack that is as new as its sources,
// building it if need be. Test processes that need a build at the same time
// wait for one of them to do it.
func Binary(t testing.TB) string {
	t.Helper()
	path, err := upToDateBinary()
	if err != nil {
		t.Fatalf("temporaltest: %v", err)
	}
	return path
}

func upToDateBinary() (string, error) {
	if path := os.Getenv("SLUICE_DEVSTACK"); path != "" {
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("SLUICE_DEVSTACK names no devstack binary: %w", err)
		}
		return path, nil
	}
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	binary, sources := filepath.Join(root, "bin", "devstack"), filepath.Join(root, "cmd", "devstack")
	if fresh, err := newerThan(binary, sources); fresh || err != nil {
		return binary, err
	}
	unlock, err := lockFile(binary + ".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if fresh, err := newerThan(binary, sources); fresh || err != nil {
		return binary, err // another process has built it meanwhile
	}
	return binary, build(binary, sources)
}

// moduleRoot is the nearest directory above with the go.mod of module sluice.
func moduleRoot() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		first, _, _ := strings.Cut(string(text), "\n")
		if err == nil && strings.TrimSpace(first) == "module sluice" {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no go.mod of module sluice above %s: name a devstack binary with SLUICE_DEVSTACK", start)
		}
	}
}

// newerThan says whether binary exists and no file of sources changed since.
func newerThan(binary, sources string) (bool, error) {
	built, err := os.Stat(binary)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	entries, err := os.ReadDir(sources)
	if err != nil {
		return false, err
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			return false, err
		}
		if info.ModTime().After(built.ModTime()) {
			return false, nil
		}
	}
	return true, nil
}

// build puts the binary into place whole, dated by the start of the build, so
// that a source saved meanwhile counts as newer.
func build(binary, sources string) error {
	fmt.Fprintln(os.Stderr, "temporaltest: building bin/devstack, a Temporal server; minutes the first time, seconds later")
	began, draft := time.Now(), binary+".new"
	cmd := exec.Command("go", "-C", sources, "build", "-buildvcs=false", "-o", draft, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=") // flags meant for the root may not fit
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building devstack: %w\n%s", err, output)
	}
	if err := os.Chtimes(draft, began, began); err != nil {
		return err
	}
	return os.Rename(draft, binary)
}

// lockFile waits for the lock on path; the system frees it if the process dies.
func lockFile(path string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("locking %s: %w", path, err), file.Close())
	}
	return func() { _ = file.Close() }, nil
}
