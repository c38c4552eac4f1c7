package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// seat is where gateways follow one another: one data directory, one pair of
// addresses, one legacy service.
type seat struct {
	args             []string
	public, operator string // host:port
	data             string

	mu    sync.Mutex
	posts map[string]int // guarded by mu; documents that legacy got, and how often
	hold  chan struct{}  // legacy answers /slow when it is closed
	began chan struct{}  // legacy says here that it got /slow
}

func newSeat(t *testing.T) *seat {
	s := &seat{
		public: freeAddress(t), operator: freeAddress(t), data: filepath.Join(t.TempDir(), "data"),
		posts: map[string]int{}, hold: make(chan struct{}), began: make(chan struct{}, 8),
	}
	legacy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch r.URL.Path {
		case "/slow":
			s.began <- struct{}{}
			<-s.hold
		case "/v1/documents":
			s.mu.Lock()
			s.posts[string(body)]++
			s.mu.Unlock()
		}
		_, _ = w.Write(body)
	}))
	t.Cleanup(legacy.Close)
	t.Cleanup(func() { s.release() })
	flags := flagFile(t)
	turn(t, flags, "off")
	s.args = []string{"gateway", "-config", shipped(t, "gateway.yaml")}
	for _, setting := range []string{
		"listen.public=" + s.public, "listen.operator=" + s.operator, "data=" + s.data, "legacy.url=" + legacy.URL,
		"temporal.address=" + freeAddress(t), "rollout.flags.file=" + flags, "log.access=false",
		"drain.lame_duck=0s", "drain.timeout=1m",
	} {
		s.args = append(s.args, "-set", setting)
	}
	return s
}

// release lets legacy answer /slow.
func (s *seat) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.hold:
	default:
		close(s.hold)
	}
}

// start starts a gateway, and does not wait for anything.
func (s *seat) start(t *testing.T, settings ...string) *program {
	t.Helper()
	args := slices.Clone(s.args)
	for _, setting := range settings {
		args = append(args, "-set", setting)
	}
	return start(t, args...)
}

// serving waits until the gateway says that it serves.
func serving(t *testing.T, p *program) {
	t.Helper()
	eventually(t, "the gateway serves", func() bool { return strings.Contains(p.stderr.String(), `"serving"`) })
}

// wire is a client's connection that knows of no retries, and notices only when it
// uses it that it was closed.
type wire struct {
	conn   net.Conn
	answer *bufio.Reader
}

func dial(address string) (*wire, error) {
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return nil, err
	}
	return &wire{conn, bufio.NewReader(conn)}, nil
}

func (w *wire) post(path, body string) error {
	if err := w.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w.conn, "POST %s HTTP/1.1\r\nHost: sluice\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body); err != nil {
		return err
	}
	response, err := http.ReadResponse(w.answer, nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return err
	case response.StatusCode != http.StatusOK || string(text) != body:
		return fmt.Errorf("%s: %s", response.Status, text)
	case response.Close:
		return fmt.Errorf("the connection is not kept")
	}
	return nil
}

// tally is what clients saw.
type tally struct {
	mu      sync.Mutex
	sent    []string      // guarded by mu
	failed  []error       // guarded by mu
	longest time.Duration // guarded by mu
}

func (c *tally) note(body string, err error, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent = append(c.sent, body)
	c.longest = max(c.longest, took)
	if err != nil {
		c.failed = append(c.failed, err)
	}
}

func (c *tally) posts() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.sent)
}

// keep posts on one connection at the pace, and on a new one after a failure.
func (s *seat) keep(ctx context.Context, name string, pace time.Duration, seen *tally) {
	var w *wire
	for i := 0; ctx.Err() == nil; i++ {
		body := fmt.Sprintf(`{"doc_id":"%s-%d"}`, name, i)
		began, err := time.Now(), error(nil)
		if w == nil {
			w, err = dial(s.public)
		}
		if err == nil {
			err = w.post("/v1/documents", body)
		}
		seen.note(body, err, time.Since(began))
		if err != nil && w != nil {
			_ = w.conn.Close() // it is of no use
			w = nil
		}
		time.Sleep(pace)
	}
	if w != nil {
		_ = w.conn.Close()
	}
}

// fleet is clients of all paces, one of new connections only, until stop is called.
func (s *seat) fleet(t *testing.T) (seen *tally, stop func()) {
	seen = &tally{}
	ctx, cancel := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for i := range 24 {
		pace := 30 * time.Millisecond
		if i%6 == 0 {
			pace = 400 * time.Millisecond // idle, most of the time
		}
		clients.Go(func() { s.keep(ctx, fmt.Sprint("kept-", i), pace, seen) })
	}
	clients.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			body, began := fmt.Sprintf(`{"doc_id":"new-%d"}`, i), time.Now()
			w, err := dial(s.public)
			if err == nil {
				time.Sleep(time.Millisecond) // a connection that has said nothing yet
				err = w.post("/v1/documents", body)
				_ = w.conn.Close() // it was for one request
			}
			seen.note(body, err, time.Since(began))
			time.Sleep(5 * time.Millisecond)
		}
	})
	return seen, sync.OnceFunc(func() { cancel(); clients.Wait() })
}

// While gateways follow one another under traffic no post fails, no connection is
// closed, and legacy gets every document once. A stop and a start in its place
// fails posts of the same clients.
func TestHandoverFailsNoPost(t *testing.T) {
	t.Parallel()
	s := newSeat(t)
	running := s.start(t)
	serving(t, running)
	seen, stop := s.fleet(t)
	defer stop()
	for range 5 {
		before := seen.posts()
		eventually(t, "traffic flows", func() bool { return seen.posts() > before+200 })
		next := s.start(t)
		running.exit(t, 0)
		serving(t, next)
		running = next
	}
	before := seen.posts()
	eventually(t, "traffic goes on", func() bool { return seen.posts() > before+200 })
	stop()
	for _, err := range seen.failed {
		t.Errorf("of %d posts: %v", len(seen.sent), err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, body := range seen.sent {
		if s.posts[body] != 1 {
			t.Errorf("legacy got %s %d times", body, s.posts[body])
		}
	}
	t.Logf("5 restarts, %d posts, none failed, the longest took %s", len(seen.sent), seen.longest)
}

// This is what the handover prevents.
func TestStopAndStartFailsPosts(t *testing.T) {
	t.Parallel()
	s := newSeat(t)
	running := s.start(t)
	serving(t, running)
	seen, stop := s.fleet(t)
	defer stop()
	eventually(t, "traffic flows", func() bool { return seen.posts() > 200 })
	running.signal(t, syscall.SIGTERM)
	running.exit(t, 0)
	serving(t, s.start(t))
	stop()
	if len(seen.failed) == 0 {
		t.Error("no post failed: these clients would not notice what the handover prevents")
	}
	t.Logf("one stop and start: %d of %d posts failed", len(seen.failed), len(seen.sent))
}

// What is under way ends where it began; what comes meanwhile waits for the new
// gateway, on new connections and on kept ones.
func TestRequestsWaitForTheSuccessor(t *testing.T) {
	t.Parallel()
	s := newSeat(t)
	first := s.start(t)
	serving(t, first)
	slow, kept := mustDial(t, s.public), mustDial(t, s.public)
	if err := kept.post("/v1/documents", `{"doc_id":"kept-1"}`); err != nil {
		t.Fatal(err)
	}
	answers := make(chan error, 3)
	go func() { answers <- slow.post("/slow", "under way") }()
	<-s.began
	second := s.start(t)
	eventually(t, "the first hands over", func() bool { return strings.Contains(first.stderr.String(), `"handing over"`) })
	post := func(w *wire, id string) { answers <- w.post("/v1/documents", `{"doc_id":"`+id+`"}`) }
	waits := func() bool { // or the first was not done with handing over
		select {
		case err := <-answers:
			if err != nil {
				t.Fatal(err)
			}
			return false
		case <-time.After(200 * time.Millisecond):
			return true
		}
	}
	eventually(t, "a request on a kept connection waits", func() bool {
		go post(kept, "kept-2")
		return waits()
	})
	eventually(t, "a request on a new connection waits", func() bool {
		go post(mustDial(t, s.public), "new")
		return waits()
	})
	s.release()
	for range 3 {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
	first.exit(t, 0)
	if err := slow.post("/v1/documents", `{"doc_id":"slow's next"}`); err != nil {
		t.Errorf("the connection of the slow request did not move: %v", err)
	}
	serving(t, second)
}

// A gateway that cannot serve takes nothing from the one that does.
func TestASuccessorThatFailsChangesNothing(t *testing.T) {
	t.Parallel()
	s := newSeat(t)
	first := s.start(t)
	serving(t, first)
	kept := mustDial(t, s.public)
	for _, wrong := range []string{"drain.timeout=0s", "operator.token_file=/nowhere", "temporal.status_key_file=/nowhere"} {
		failing := s.start(t, wrong)
		failing.exit(t, 1)
		if err := kept.post("/v1/documents", `{"doc_id":"after `+wrong[:5]+`"}`); err != nil {
			t.Errorf("after a start with %s: %v", wrong, err)
		}
	}
	if log := first.stderr.String(); strings.Contains(log, `"handing over"`) {
		t.Error("the first gateway was asked to stop")
	}
	second := s.start(t)
	first.exit(t, 0)
	serving(t, second)
	if err := kept.post("/v1/documents", `{"doc_id":"after all"}`); err != nil {
		t.Error(err)
	}
}

// A killed gateway leaves its socket's file and no lock.
func TestAKilledGatewayIsReplaced(t *testing.T) {
	t.Parallel()
	s := newSeat(t)
	first := s.start(t)
	serving(t, first)
	first.signal(t, syscall.SIGKILL)
	<-first.done
	if _, err := os.Stat(filepath.Join(s.data, "handover.sock")); err != nil {
		t.Fatalf("there is nothing to step over: %v", err)
	}
	second := s.start(t)
	serving(t, second)
	if err := mustDial(t, s.public).post("/v1/documents", `{"doc_id":"a"}`); err != nil {
		t.Error(err)
	}
	third := s.start(t)
	second.exit(t, 0)
	serving(t, third)
}

// A gateway that is told to listen elsewhere takes nothing from the one that runs: not
// with a mistyped address, not with the two swapped, not as a second one on a directory
// that is in use.
func TestAnotherAddressTakesNothingOver(t *testing.T) {
	t.Parallel()
	s := newSeat(t)
	first := s.start(t)
	serving(t, first)
	kept, elsewhere := mustDial(t, s.public), freeAddress(t)
	_, port, err := net.SplitHostPort(s.public)
	if err != nil {
		t.Fatal(err)
	}
	for _, settings := range [][]string{
		{"listen.public=" + elsewhere},
		{"listen.operator=" + elsewhere},
		{"listen.public=:" + port},
		{"listen.public=" + s.operator, "listen.operator=" + s.public},
	} {
		refused := s.start(t, settings...)
		refused.exit(t, 1)
		_, wanted, _ := strings.Cut(settings[0], "=")
		contains(t, "stderr", refused.stderr.String(), "listens on "+s.public+" and "+s.operator, wanted, "hint: ", "-take-over", "-set data=dir")
		if err := kept.post("/v1/documents", `{"doc_id":"after `+settings[0][:12]+`"}`); err != nil {
			t.Errorf("after a start with %s: %v", settings, err)
		}
	}
	if log := first.stderr.String(); strings.Contains(log, `"handing over"`) {
		t.Error("the first gateway was asked to stop")
	}
	same := s.start(t, "listen.public=localhost:"+port) // 127.0.0.1, in other words
	first.exit(t, 0)
	serving(t, same)
	if err := kept.post("/v1/documents", `{"doc_id":"after all"}`); err != nil {
		t.Error(err)
	}
}

// A gateway that is told to listen elsewhere takes over the directory if that is asked
// for.
func TestASuccessorMayListenElsewhere(t *testing.T) {
	t.Parallel()
	s := newSeat(t)
	first := s.start(t)
	serving(t, first)
	kept, elsewhere := mustDial(t, s.public), freeAddress(t)
	s.args = append(s.args, "-take-over")
	second := s.start(t, "listen.public="+elsewhere)
	first.exit(t, 0)
	serving(t, second)
	contains(t, "its log", second.stderr.String(), "does not listen there", elsewhere)
	for _, w := range []*wire{kept, mustDial(t, elsewhere)} {
		if err := w.post("/v1/documents", `{"doc_id":"a"}`); err != nil {
			t.Error(err)
		}
	}
	if _, err := dial(s.public); err == nil {
		t.Error("somebody still listens at the old address")
	}
}

func mustDial(t *testing.T, address string) *wire {
	t.Helper()
	w, err := dial(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.conn.Close() })
	return w
}
