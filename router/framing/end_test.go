package framing_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"sluice/router/framing"
)

type connKey struct{}

// attended lets handlers see their connection.
func attended(s *http.Server) {
	s.ConnContext = func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) }
}

func connOf(r *http.Request) *framing.Conn { return r.Context().Value(connKey{}).(*framing.Conn) }

// afterEnd returns a handler that answers when the client's end was read, and then
// says what net/http made of it. The pause can only be too short to notice.
func afterEnd(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-connOf(r).Ended().Done():
		case <-time.After(30 * time.Second):
			http.Error(w, "the end is not noticed", http.StatusInternalServerError)
			return
		}
		time.Sleep(20 * time.Millisecond)
		if r.Context().Err() != nil {
			http.Error(w, "the request was cancelled", http.StatusInternalServerError)
			return
		}
		io.WriteString(w, text)
	}
}

// A client that sends no more behind its request is still answered, and then the
// connection closes at once.
func TestHalfClosedClientIsAnswered(t *testing.T) {
	large := strings.Repeat("0123456789", 100_000)
	for name, row := range map[string]struct {
		raw     string
		answers int
	}{
		"GET":                   {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 1},
		"DELETE":                {"DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", 1},
		"POST":                  {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", 1},
		"chunks":                {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 1},
		"HTTP/1.0":              {"GET / HTTP/1.0\r\n\r\n", 1},
		"HTTP/1.0 keep-alive":   {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 1},
		"close":                 {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 1},
		"pipelined":             {strings.Repeat("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 3), 3},
		"before half a request": {"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HT", 1},
		"before half a body":    {"GET / HTTP/1.1\r\nHost: a\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf", 1},
	} {
		t.Run(name, func(t *testing.T) {
			d := openDoor(t, doorConfig{tune: attended, handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if _, err := io.ReadAll(r.Body); err != nil {
					panic(http.ErrAbortHandler) // the half request
				}
				afterEnd(large)(w, r)
			})})
			c := d.dial(t)
			c.send(row.raw)
			c.Conn.(*net.TCPConn).CloseWrite()
			for range row.answers {
				c.wantAnswer(200, large)
			}
			if rest, err := io.ReadAll(c.in); err != nil || strings.Contains(string(rest), "200") {
				t.Errorf("after the answers: %q, %v", rest, err)
			}
		})
	}
}

// Between two requests an end is the end.
func TestIdleConnectionEndsWithItsClient(t *testing.T) {
	d := openDoor(t, doorConfig{})
	c := d.dial(t)
	for range 3 {
		c.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
		c.wantAnswer(200, "/x 0")
	}
	c.Conn.(*net.TCPConn).CloseWrite()
	c.wantClosed()
}

// A reset is a departure: before anything else was read, and behind an end too,
// whether the handler goes on to write or not.
func TestResetEndsARequest(t *testing.T) {
	for name, row := range map[string]struct{ half, writes bool }{
		"at once": {false, false}, "behind an end": {true, false}, "behind an end, under an answer": {true, true},
	} {
		t.Run(name, func(t *testing.T) {
			reached, ended := make(chan struct{}), make(chan struct{})
			d := openDoor(t, doorConfig{tune: attended, handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				close(reached)
				if row.half {
					<-connOf(r).Ended().Done()
					io.WriteString(w, "x") // what is sent to nobody comes back as a reset
					http.NewResponseController(w).Flush()
				}
				for row.writes && r.Context().Err() == nil {
					io.WriteString(w, "x")
					http.NewResponseController(w).Flush()
					time.Sleep(time.Millisecond)
				}
				<-r.Context().Done()
				close(ended)
			})})
			c := d.dial(t)
			c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			<-reached
			if !row.half {
				c.Conn.(*net.TCPConn).SetLinger(0)
			}
			c.Close()
			select {
			case <-ended:
			case <-time.After(30 * time.Second):
				t.Fatal("the departure is not noticed")
			}
		})
	}
}

// The one deadline by which net/http gets its reader back works while an end waits.
func TestDeadlineInterruptsAWaitingEnd(t *testing.T) {
	client, framed := framedPipe(t)
	io.WriteString(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	p := make([]byte, 512)
	if _, err := framed.Read(p); err != nil {
		t.Fatal(err)
	}
	client.(*net.TCPConn).CloseWrite()
	for range 3 {
		got := make(chan error, 1)
		go func() {
			_, err := framed.Read(p)
			got <- err
		}()
		<-framed.Ended().Done()
		framed.SetReadDeadline(time.Unix(1, 0))
		if err := <-got; err == nil || !err.(net.Error).Timeout() {
			t.Fatalf("%v, want a timeout", err)
		}
		framed.SetReadDeadline(time.Time{})
	}
	framed.Answered()
	if _, err := framed.Read(p); err != io.EOF {
		t.Errorf("after the answer: %v, want EOF", err)
	}
}

// CloseIdle cuts nothing off, and closes for good afterwards.
func TestCloseIdle(t *testing.T) {
	asked := make(chan struct{})
	d := openDoor(t, doorConfig{tune: attended, handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		connOf(r).CloseIdle()
		body, _ := io.ReadAll(r.Body)
		if len(body) == 0 {
			<-asked
		}
		w.Write(body)
	})})
	c := d.dial(t)
	c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n")
	c.send("body")
	c.wantAnswer(200, "body")
	c.wantClosed()

	client, framed := framedPipe(t)
	framed.CloseIdle()
	if rest, err := io.ReadAll(client); err != nil || len(rest) > 0 || framed.Closed().Err() == nil {
		t.Errorf("an idle connection stays: %q, %v", rest, err)
	}
}
