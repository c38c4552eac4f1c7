package endtoend_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// counting is a legacy service that counts the documents it gets.
type counting struct {
	url   string
	count atomic.Int32
}

func countDocuments(t *testing.T, answer http.HandlerFunc) *counting {
	t.Helper()
	c := &counting{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/auth" {
			return
		}
		c.count.Add(1)
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	c.url = "legacy.url=" + server.URL
	return c
}

func (c *counting) want(t *testing.T, times int32) {
	t.Helper()
	if got := c.count.Load(); got != times {
		t.Errorf("legacy got %d documents, want %d", got, times)
	}
}

const answersKept = "legacy.idempotency=gateway"

// Two posts with one key are one document at legacy, one after the other or at
// the same time.
func TestOneKeyOneDocumentAtLegacy(t *testing.T) {
	t.Parallel()
	arrived, finish := make(chan struct{}, 9), make(chan struct{})
	legacy := countDocuments(t, func(w http.ResponseWriter, _ *http.Request) {
		arrived <- struct{}{}
		<-finish
		w.Header().Set("Location", "/a")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, "made")
	})
	s := assemble(t, "", legacy.url, answersKept)
	first := make(chan answer, 1)
	go func() { first <- s.mustPost(t, `{"doc_id":"a"}`, "Idempotency-Key", "k") }()
	<-arrived
	if a := s.mustPost(t, `{"doc_id":"a"}`, "Idempotency-Key", "k"); a.status != http.StatusConflict ||
		a.problem(t) != "urn:sluice:problem:under-way" || a.header.Get("Retry-After") == "" || a.path() != "legacy" {
		t.Errorf("while the first is under way: %v", a)
	}
	close(finish)
	if a := <-first; a.status != http.StatusCreated || a.header.Get("Rollout-Replayed") != "" {
		t.Errorf("the first: %v", a)
	}
	a := s.mustPost(t, `{"doc_id":"a"}`, "Idempotency-Key", "k")
	if a.status != http.StatusCreated || string(a.body) != "made" || a.header.Get("Location") != "/a" || a.header.Get("Rollout-Replayed") != "true" || a.path() != "legacy" {
		t.Errorf("the retry: %v", a)
	}
	legacy.want(t, 1)
	if a := s.mustPost(t, `{"doc_id":"a","b":1}`, "Idempotency-Key", "k"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a key with another body: %v", a)
	}
	for range 2 {
		s.mustPost(t, `{"doc_id":"a"}`) // without a key it goes there each time
	}
	legacy.want(t, 3)
}

// By default legacy gets every retry, key or no key.
func TestByDefaultLegacyGetsEveryRetry(t *testing.T) {
	t.Parallel()
	legacy := countDocuments(t, func(http.ResponseWriter, *http.Request) {})
	s := assemble(t, "", legacy.url)
	for range 3 {
		s.mustPost(t, `{"doc_id":"a"}`, "Idempotency-Key", "k")
	}
	legacy.want(t, 3)
}

// A client that gave up and comes again gets the answer that it did not wait for.
func TestClientThatGaveUpGetsTheAnswer(t *testing.T) {
	t.Parallel()
	arrived, finish := make(chan struct{}, 9), make(chan struct{})
	legacy := countDocuments(t, func(w http.ResponseWriter, _ *http.Request) {
		arrived <- struct{}{}
		<-finish
		for range 20 {
			_, _ = io.WriteString(w, strings.Repeat("a", 1000))
			_ = http.NewResponseController(w).Flush()
			time.Sleep(time.Millisecond)
		}
	})
	s := assemble(t, "", legacy.url, answersKept)
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() {
		_, err := s.post(ctx, []byte(`{"doc_id":"a"}`), "Idempotency-Key", "k")
		left <- err
	}()
	<-arrived
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	close(finish)
	eventually(t, "the retry gets the answer", func() bool {
		a := s.mustPost(t, `{"doc_id":"a"}`, "Idempotency-Key", "k")
		return a.status == http.StatusOK && string(a.body) == strings.Repeat("a", 20_000) && a.header.Get("Rollout-Replayed") == "true"
	})
	legacy.want(t, 1)
}

// Keeping an answer changes no byte of it: interim answers, parts sent one by
// one, trailers, fields.
func TestKeepingAnAnswerDoesNotChangeIt(t *testing.T) {
	t.Parallel()
	legacy := countDocuments(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("Link")
		w.Header().Set("Date", "Mon, 01 Jan 2024 00:00:00 GMT")
		w.Header().Set("Trailer", "X-Sum")
		w.Header()["X-Odd"] = []string{"1", "2"}
		w.Header().Set("Set-Cookie", "a=b")
		for i := range 3 {
			_, _ = fmt.Fprintf(w, "part %d\n", i)
			_ = http.NewResponseController(w).Flush()
			time.Sleep(20 * time.Millisecond) // so that each is a chunk of its own
		}
		w.Header().Set("X-Sum", "3")
	})
	s := assemble(t, "", legacy.url)
	keeping := s.openGateway(t, "data="+s.dir+"/keeping", answersKept)
	raw := func(address string) string {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(time.Minute))
		_, err = io.WriteString(conn, "POST /v1/documents HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: close, TE\r\nIdempotency-Key: k\r\nContent-Length: 14\r\n\r\n"+`{"doc_id":"a"}`)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(bufio.NewReader(conn))
		if err != nil {
			t.Fatal(err)
		}
		// On a busy machine two parts may come in one chunk, which says the same.
		return regexp.MustCompile(`\r\n[0-9a-f]+\r\npart`).ReplaceAllString(string(text), "part")
	}
	passed, kept := raw(s.gateway.PublicAddress()), raw(keeping.PublicAddress())
	if passed != kept || !strings.HasPrefix(kept, "HTTP/1.1 103 ") || !strings.Contains(kept, "X-Sum: 3") {
		t.Errorf("passed:\n%s\nkept:\n%s", passed, kept)
	}
	again := raw(keeping.PublicAddress())
	if !strings.HasPrefix(again, "HTTP/1.1 200 ") || !strings.HasSuffix(again, "part 0\npart 1\npart 2\n") || strings.Contains(again, "Cookie") {
		t.Errorf("replayed:\n%s", again)
	}
}

// Gateways that share PostgreSQL share the answers.
func TestRetryOnAnotherGatewayGetsLegacysAnswer(t *testing.T) {
	t.Parallel()
	legacy := countDocuments(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "made") })
	s, _ := onPostgres(t, legacy.url, answersKept)
	second := s.openGateway(t, "data="+s.dir+"/second")
	s.mustPost(t, `{"doc_id":"a"}`, "Idempotency-Key", "k")
	a, err := s.postTo(t.Context(), second.PublicAddress(), []byte(`{"doc_id":"a"}`), "Idempotency-Key", "k")
	if err != nil || a.status != http.StatusOK || string(a.body) != "made" || a.header.Get("Rollout-Replayed") != "true" {
		t.Errorf("%v, %v", a, err)
	}
	legacy.want(t, 1)
}
