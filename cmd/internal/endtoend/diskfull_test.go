package endtoend_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"unsafe"
)

// disk is where a gateway's data is, which can be full. With the right to mount it is
// a file system of its own; else the process may write no file longer than 1 MiB, which
// leaves claims without room too.
type disk struct {
	dir     string
	mounted bool
}

func newDisk(t *testing.T) *disk {
	t.Helper()
	d := &disk{dir: t.TempDir()}
	d.mounted = syscall.Mount("tmpfs", d.dir, "tmpfs", 0, "size=40m") == nil
	if d.mounted {
		t.Cleanup(func() {
			if err := syscall.Unmount(d.dir, syscall.MNT_DETACH); err != nil {
				t.Error(err)
			}
		})
	}
	return d
}

func (d *disk) data() string { return filepath.Join(d.dir, "gateway") }

// fill leaves no byte.
func (d *disk) fill(t *testing.T, pid int) {
	t.Helper()
	if !d.mounted {
		limitFiles(t, pid, 1<<20)
		return
	}
	file, err := os.OpenFile(filepath.Join(d.dir, "filling"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	for block := make([]byte, 1<<16); err == nil; {
		if _, err = file.Write(block); err != nil && len(block) > 1 {
			block, err = block[:len(block)/2], nil
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	_ = file.Close() // it is full
}

func (d *disk) free(t *testing.T, pid int) {
	t.Helper()
	if !d.mounted {
		limitFiles(t, pid, ^uint64(0))
		return
	}
	if err := os.Remove(filepath.Join(d.dir, "filling")); err != nil {
		t.Fatal(err)
	}
}

func limitFiles(t *testing.T, pid int, bytes uint64) {
	t.Helper()
	limit := syscall.Rlimit{Cur: bytes, Max: ^uint64(0)}
	if _, _, err := syscall.Syscall6(syscall.SYS_PRLIMIT64, uintptr(pid), syscall.RLIMIT_FSIZE, uintptr(unsafe.Pointer(&limit)), 0, 0, 0); err != 0 {
		t.Fatal(err)
	}
}

// cornered is a gateway in a process of its own, without a Temporal, on a disk that
// can be full.
type cornered struct {
	*disk
	settings []string
	flags    *stack // for its flag file
	address  string
	pid      int
	kill     func()

	mu   sync.Mutex
	seen map[string]int // by legacy, by doc_id; guarded by mu
	hold chan struct{}  // legacy answers doc_id "held" when it is closed
}

func corner(t *testing.T, settings ...string) *cornered {
	t.Helper()
	c := &cornered{disk: newDisk(t), flags: &stack{flagFile: filepath.Join(t.TempDir(), "flags.json")}, seen: map[string]int{}, hold: make(chan struct{})}
	c.flags.setFlags(t, 0, false)
	legacy := httptest.NewServer(c)
	t.Cleanup(legacy.Close)
	c.settings = append([]string{
		"listen.public=127.0.0.1:0", "listen.operator=127.0.0.1:0", "data=" + c.data(), "legacy.url=" + legacy.URL,
		"temporal.address=127.0.0.1:1", "rollout.flags.file=" + c.flags.flagFile, "log.access=false",
	}, settings...)
	c.start(t)
	return c
}

func (c *cornered) start(t *testing.T) {
	t.Helper()
	c.address, c.pid, c.kill = spawnGatewayProcess(t, c.settings)
}

// ServeHTTP is legacy.
func (c *cornered) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var doc struct {
		ID string `json:"doc_id"`
	}
	_ = json.NewDecoder(r.Body).Decode(&doc) // none is counted as one without a name
	c.mu.Lock()
	c.seen[doc.ID]++
	c.mu.Unlock()
	if doc.ID == "held" {
		<-c.hold
	}
	_, _ = fmt.Fprintf(w, `{"doc_id":%q}`, doc.ID) // the client may be gone
}

func (c *cornered) got(id string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen[id]
}

// post returns the status and the reason; 0 if there was no answer.
func (c *cornered) post(t *testing.T, id, text string) (status int, reason string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+c.address+"/v1/documents", strings.NewReader(fmt.Sprintf(`{"doc_id":%q,"text":%q}`, id, text)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", "key-"+id)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body) // the status tells
	return answer.StatusCode, answer.Header.Get("Rollout-Reason")
}

// passes posts documents that legacy must get without a claim.
func (c *cornered) passes(t *testing.T, name string) (ids []string) {
	t.Helper()
	for n := range 20 {
		id := fmt.Sprint(name, "-", n)
		if status, reason := c.post(t, id, "first"); status != http.StatusOK || reason != "store-away" || c.got(id) != 1 {
			t.Errorf("%s: %d %s, legacy got %d", id, status, reason, c.got(id))
		}
		ids = append(ids, id)
	}
	return ids
}

// onRecord waits until all that passed has claims, and looks for them: each holds its
// document on legacy.
func (c *cornered) onRecord(t *testing.T, ids []string) {
	t.Helper()
	eventually(t, "everything is on record", func() bool {
		text, err := os.ReadFile(filepath.Join(c.data(), "away.log"))
		return err == nil && !strings.Contains(string(text), "doc_id")
	})
	for _, id := range ids {
		if status, reason := c.post(t, id, "second"); status != http.StatusOK || reason != "claim" {
			t.Errorf("%s: its key with another body: %d %s", id, status, reason)
		}
	}
}

// With nothing ever on Temporal a full disk harms no client of legacy's, through the
// death of the gateway too. What went without a claim keeps the percentage where it is,
// until there is room for the claims.
func TestDiskFullWithNothingOnTemporal(t *testing.T) {
	t.Parallel()
	c := corner(t)
	c.fill(t, c.pid)
	ids := c.passes(t, "first")
	var held sync.WaitGroup
	held.Go(func() { c.post(t, "held", "first") })
	eventually(t, "one is at legacy", func() bool { return c.got("held") == 1 })
	c.kill()
	close(c.hold)
	held.Wait()
	c.start(t)
	if !c.mounted {
		c.fill(t, c.pid)
	}
	c.flags.setFlags(t, 100, false)
	ids = append(append(ids, "held"), c.passes(t, "second")...)
	c.free(t, c.pid)
	c.onRecord(t, ids)
	eventually(t, "the percentage rises", func() bool { // and Temporal is not there
		_, reason := c.post(t, fmt.Sprint("after-", len(c.seen)), "first")
		return reason == "fallback" || reason == "breaker"
	})
	for _, id := range ids {
		if status, reason := c.post(t, id, "first"); status != http.StatusOK || reason != "claim" {
			t.Errorf("a retry of %s: %d %s", id, status, reason)
		}
	}
}

// Below the highest percentage that ever was a claim may be on Temporal, in a process
// of before too: without the record nobody knows.
func TestDiskFullBelowTheMark(t *testing.T) {
	t.Parallel()
	c := corner(t)
	c.flags.setFlags(t, 50, false)
	eventually(t, "the mark is kept", func() bool {
		text, err := os.ReadFile(filepath.Join(c.data(), "claims", "state"))
		return err == nil && strings.Contains(string(text), `"exposure":500000`)
	})
	c.flags.setFlags(t, 0, false)
	c.kill()
	c.start(t)
	c.fill(t, c.pid)
	for n := range 40 {
		id, want := fmt.Sprint("doc-", n), http.StatusServiceUnavailable
		if expectedPath(id, 50) == "legacy" {
			want = http.StatusOK
		}
		if status, _ := c.post(t, id, "first"); status != want {
			t.Errorf("%s: %d, want %d", id, status, want)
		}
	}
}

// Nothing passes where operators do not want it.
func TestDiskFullWithoutAway(t *testing.T) {
	t.Parallel()
	c := corner(t, "claims.away=0s")
	c.fill(t, c.pid)
	if status, _ := c.post(t, "doc", "first"); status != http.StatusServiceUnavailable || c.got("doc") != 0 {
		t.Errorf("%d, legacy got %d", status, c.got("doc"))
	}
}
