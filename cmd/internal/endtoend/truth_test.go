package endtoend_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"sluice/temporalpath/temporaltest"
)

// success is a 2xx that a client read whole.
type success struct {
	what   string
	docID  string
	status int
	reason string // the gateway's, for the path
	body   []byte
	follow string // the status resource of a 202
}

// truth is what all clients of one test saw.
type truth struct {
	door string
	mu   sync.Mutex
	all  []success // guarded by mu
	seen int       // guarded by mu; answers of any kind
}

// Whatever breaks, a success is one that a path gave: its answer, or for a 202 a run.
func TestNoSuccessThatNoPathGave(t *testing.T) {
	t.Parallel()
	w := newWitness(t)
	server := temporaltest.Start(t, temporaltest.WithFile(filepath.Join(t.TempDir(), "temporal.db")))
	s := assembleOn(t, server, "", witnessed, "legacy.url="+w.legacy.URL, "temporal.wait=3s",
		"guardrails.limits.error_ratio.action=warn", "guardrails.limits.error_excess.action=warn", "guardrails.limits.error_rate.action=warn")
	w.work(t, s)
	s.rollTo(t, 100)
	warm := 0
	eventually(t, "Temporal answers", func() bool {
		warm++
		return w.giver(s.mustPost(t, fmt.Sprintf(`{"doc_id":"warm-%d"}`, warm), "Prefer", "wait=30").body) == "temporal"
	})
	tr := &truth{door: s.gateway.PublicAddress()}
	tr.clients(t, "well", func() {})
	w.checkAway.Store(true)
	tr.clients(t, "check-away", func() {})
	w.checkAway.Store(false)
	w.broken.Store(true)
	tr.clients(t, "legacy-broken", func() {})
	s.rollTo(t, 50)
	tr.clients(t, "legacy-broken-half", func() {})
	w.broken.Store(false)
	s.rollTo(t, 100)
	tr.clients(t, "well-again", func() {})
	tr.clients(t, "temporal-killed", s.server.Kill)
	tr.clients(t, "temporal-away", func() {})
	s.server.Restart(t)
	tr.clients(t, "temporal-back", func() {})
	s.server.Freeze()
	tr.clients(t, "temporal-frozen", func() {})
	s.server.Thaw()
	tr.clients(t, "temporal-thawed", func() {})
	tr.judge(t, s, w)
}

// clients are many, each with its own way to ask; in the middle of them something
// happens.
func (tr *truth) clients(t *testing.T, phase string, happens func()) {
	t.Helper()
	const clients, each = 12, 4
	var group sync.WaitGroup
	for c := range clients {
		group.Go(func() {
			for n := range each {
				tr.ask(t, fmt.Sprintf("%s-%d-%d", phase, c, n), c)
			}
		})
	}
	time.Sleep(50 * time.Millisecond) // some are under way then
	happens()
	group.Wait()
}

// ask asks as the c-th client does.
func (tr *truth) ask(t *testing.T, docID string, c int) {
	method, target, body, more := "POST", "/v1/documents", `{"doc_id":"`+docID+`"}`, ""
	switch c % 6 {
	case 1:
		more = "Prefer: respond-async\r\n"
	case 2:
		more = "Idempotency-Key: " + docID + "\r\nX-Late: 1\r\n"
	case 3:
		body = "no document"
	case 4:
		method, target, body = "DELETE", "/v1/documents/"+docID, ""
	case 5:
		method, target, body, more = "GET", "/things/"+docID, "", "X-Late: 1\r\n"
	}
	raw := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: docs.example\r\n%sContent-Length: %d\r\n\r\n%s", method, target, more, len(body), body)
	conn, err := net.Dial("tcp", tr.door)
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute)) // of a connection that was just made
	_, _ = io.WriteString(conn, raw)                  // the answer tells
	if c%2 == 0 || c >= 6 {
		_ = conn.(*net.TCPConn).CloseWrite() // likewise
	}
	tr.read(conn, success{what: method + " " + target + " " + more, docID: docID})
}

// read notes the answer if it is a success and whole.
func (tr *truth) read(conn net.Conn, s success) {
	response, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: http.MethodGet})
	if err != nil {
		return
	}
	s.status, s.reason = response.StatusCode, response.Header.Get("Rollout-Reason")
	s.follow = response.Header.Get("Location")
	s.body, err = io.ReadAll(response.Body)
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.seen++
	if err == nil && s.status >= 200 && s.status < 300 {
		tr.all = append(tr.all, s)
	}
}

// judge fails the test for each success that nobody gave.
func (tr *truth) judge(t *testing.T, stack *stack, w *witness) {
	t.Helper()
	by := map[string]int{}
	for _, s := range tr.all {
		if s.status == http.StatusAccepted {
			stack.follow(t, w, s)
			by["202 "+s.reason]++
			continue
		}
		path := w.giver(s.body)
		if path == "" {
			t.Errorf("%s (%q) was answered %d %q, which no path gave", s.docID, s.what, s.status, s.body)
		}
		by[path+" "+s.reason]++
	}
	t.Logf("%d answers, of these successes by %v", tr.seen, by)
	// How many of Temporal's are waited for to their end depends on the machine.
	if by["legacy "] == 0 || by["temporal split"]+by["202 split"] == 0 {
		t.Errorf("one of the paths gave nothing: %v", by)
	}
}

// follow waits until the document that was answered 202 has the answer of a run.
func (s *stack) follow(t *testing.T, w *witness, accepted success) {
	t.Helper()
	var last answer
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		last = get(t, s.client, "http://"+s.gateway.PublicAddress()+accepted.follow)
		var state struct {
			Answer struct{ Body json.RawMessage }
		}
		if json.Unmarshal(last.body, &state) == nil && w.giver(state.Answer.Body) == "temporal" {
			return
		}
	}
	t.Errorf("%s (%q) was answered 202 %s, and its run (began: %v) gives %v", accepted.docID, accepted.what, accepted.body, w.hasBegun(accepted.docID), last)
}
