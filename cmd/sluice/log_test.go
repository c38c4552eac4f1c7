package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// piped is a gateway whose log goes into a pipe.
type piped struct {
	*seat
	*program
	log *os.File // the pipe's end for who reads the log
}

// newPiped starts the gateway, with one line for each request in its log, and reads
// the log until it serves, but nothing of what comes after that.
func newPiped(t *testing.T) piped {
	t.Helper()
	s := newSeat(t)
	log, into, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	p := startWith(t, func(cmd *exec.Cmd) { cmd.Stderr = into }, append(s.args, "-set", "log.access=true")...)
	_ = into.Close() // the gateway has its own
	for lines := bufio.NewScanner(log); !strings.Contains(lines.Text(), `"serving"`); {
		if !lines.Scan() {
			t.Fatalf("it does not serve: %v", lines.Err())
		}
	}
	return piped{s, p, log}
}

// requests sends so many, each with some 600 bytes for the log, and fails the test for
// each that is not answered.
func (p piped) requests(t *testing.T, many int) {
	t.Helper()
	var clients sync.WaitGroup
	for c := range 8 {
		clients.Go(func() {
			w, err := dial(p.public)
			for n := 0; n < many/8 && err == nil; n++ {
				err = w.post("/"+strings.Repeat("x", 600), fmt.Sprintf(`{"doc_id":"%d-%d"}`, c, n))
			}
			if err != nil {
				t.Errorf("a request failed: %v", err)
			}
		})
	}
	clients.Wait()
}

// droppedLines reports whether /metrics counts any.
func (p piped) droppedLines(t *testing.T) bool {
	t.Helper()
	page := ask(t, http.StatusOK, "GET", "http://"+p.operator+"/metrics", "").body
	return strings.Contains(page, "rollout_log_dropped_total ") && !strings.Contains(page, "rollout_log_dropped_total 0\n")
}

// A log that nobody reads holds up no request, and is whole again, with a line that
// says what is missing, once it is read.
func TestStalledLogStopsNothing(t *testing.T) {
	t.Parallel()
	p := newPiped(t)
	p.requests(t, 2000)
	if !p.droppedLines(t) {
		t.Error("no dropped line is counted: the log was never full")
	}
	rest := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(p.log) // to the end of the process
		rest <- string(text)
	}()
	p.signal(t, syscall.SIGTERM)
	p.exit(t, 0)
	text := <-rest
	contains(t, "the log", text[max(0, len(text)-4096):], "lines of this log were dropped", `"draining"`)
	for line := range strings.Lines(text[strings.Index(text, "\n")+1:]) {
		object(t, line) // none is cut
	}
}

// A gateway whose log is never read again ends all the same.
func TestStalledLogDoesNotHoldUpTheEnd(t *testing.T) {
	t.Parallel()
	p := newPiped(t)
	p.requests(t, 400)
	p.signal(t, syscall.SIGTERM)
	p.exit(t, 0)
}

// A log whose reader has gone ends nothing.
func TestClosedLogStopsNothing(t *testing.T) {
	t.Parallel()
	p := newPiped(t)
	_ = p.log.Close()
	p.requests(t, 400)
	if !p.droppedLines(t) {
		t.Error("no dropped line is counted")
	}
	p.signal(t, syscall.SIGTERM)
	p.exit(t, 0)
}

// SIGHUP fails no request, and says what to do instead.
func TestHangupIsHarmless(t *testing.T) {
	t.Parallel()
	s := newSeat(t)
	p := s.start(t)
	serving(t, p)
	seen, stop := s.fleet(t)
	defer stop()
	for range 5 {
		before := seen.posts()
		p.signal(t, syscall.SIGHUP)
		eventually(t, "traffic goes on", func() bool { return seen.posts() > before+50 })
	}
	stop()
	for _, err := range seen.failed {
		t.Errorf("of %d posts: %v", len(seen.sent), err)
	}
	eventually(t, "the log tells of it", func() bool { return strings.Contains(p.stderr.String(), "SIGHUP does nothing") })
	p.signal(t, syscall.SIGTERM)
	p.exit(t, 0)
}

// The other processes that serve are no different.
func TestHangupIsHarmlessToAll(t *testing.T) {
	t.Parallel()
	worker, legacy := freeAddress(t), freeAddress(t)
	for url, args := range map[string][]string{
		"http://" + worker + "/livez":   {"worker", "-config", shipped(t, "gateway.yaml"), "-set", "worker.listen=" + worker, "-set", "temporal.address=" + freeAddress(t)},
		"http://" + legacy + "/healthz": {"demo", "legacy", "-listen", legacy},
	} {
		t.Run(args[0], func(t *testing.T) {
			t.Parallel()
			p := start(t, args...)
			served(t, url)
			p.signal(t, syscall.SIGHUP)
			eventually(t, "its log tells of it", func() bool { return strings.Contains(p.stderr.String(), "SIGHUP does nothing") })
			served(t, url)
			p.signal(t, syscall.SIGTERM)
			p.exit(t, 0)
		})
	}
}
