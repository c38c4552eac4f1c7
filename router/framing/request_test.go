package framing_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/router/framing"
)

// patience bounds how long a test waits for what must come.
const patience = 30 * time.Second

func withContext(s *http.Server) { s.ConnContext = framing.ConnContext }

// Broken knows what has come with the head, finds what is still on its way, and
// reads nothing that the body does not get.
func TestBroken(t *testing.T) {
	for _, row := range []struct {
		name, rest string
		end        bool // of the client's stream
		broken     bool
		body       string // "" if it cannot be read whole
	}{
		{"whole", "2\r\nhi\r\n0\r\n\r\n", false, false, "hi"},
		{"a fault", "2\r\nhi\n", false, true, ""},
		{"cut short", "2\r\nh", true, true, ""},
		{"whole, and then the end", "2\r\nhi\r\n0\r\nX-A: b\r\n\r\n", true, false, "hi"},
		{"more than is looked for", "5000\r\n" + strings.Repeat("x", 0x5000) + "\r\n0\r\n\r\n", false, false, strings.Repeat("x", 0x5000)},
	} {
		for _, together := range []bool{true, false} {
			t.Run(fmt.Sprint(row.name, " together ", together), func(t *testing.T) {
				reached, goOn := make(chan struct{}), make(chan struct{})
				d := openDoor(t, doorConfig{tune: withContext, handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					reached <- struct{}{}
					<-goOn
					broken := framing.Broken(r, patience)
					body, err := io.ReadAll(r.Body)
					fmt.Fprint(w, broken, err == nil, len(body))
					if err == nil && string(body) != row.body {
						t.Errorf("the body is %.100q", body)
					}
				})})
				c := d.dial(t)
				head := "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
				if together {
					head += row.rest
				}
				c.send(head)
				<-reached
				if !together {
					c.send(row.rest)
				}
				if row.end {
					c.Conn.(*net.TCPConn).CloseWrite()
				}
				close(goOn)
				resp, err := http.ReadResponse(c.in, nil)
				if err != nil {
					t.Fatal(err)
				}
				answer, _ := io.ReadAll(resp.Body)
				if want := fmt.Sprint(row.broken, row.body != ""); !strings.HasPrefix(string(answer), want) {
					t.Errorf("got %s, want %s", answer, want)
				}
			})
		}
	}
}

// A client that sends no body until it is answered is not waited for.
func TestBrokenDoesNotWait(t *testing.T) {
	d := openDoor(t, doorConfig{tune: withContext, handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		broken := framing.Broken(r, time.Millisecond)
		control := http.NewResponseController(w)
		control.EnableFullDuplex()
		w.WriteHeader(http.StatusOK)
		control.Flush()
		body, err := io.ReadAll(r.Body)
		fmt.Fprint(w, broken, string(body), err)
	})})
	c := d.dial(t)
	c.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
	resp, err := http.ReadResponse(c.in, nil)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(10 * time.Millisecond) // the deadline that Broken set is over, and must not be in force
	c.send("2\r\nhi\r\n0\r\n\r\n")
	if answer, err := io.ReadAll(resp.Body); err != nil || string(answer) != "falsehi<nil>" {
		t.Errorf("got %q, %v", answer, err)
	}
}

// Trailers reach a copy of the request, announced or not, however long they are,
// and on each request of a connection its own.
func TestPrepare(t *testing.T) {
	var got []http.Header
	d := openDoor(t, doorConfig{limits: framing.Limits{MaxHeaderBytes: 64 << 10}, tune: withContext,
		handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			framing.Prepare(r)
			if r.Method == http.MethodPut {
				return // and the body is left to the server
			}
			copied := r.WithContext(r.Context())
			_, err := io.Copy(io.Discard, copied.Body)
			got = append(got, copied.Trailer)
			fmt.Fprint(w, err)
		})})
	c := d.dial(t)
	const head = " / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n"
	long := strings.Repeat("x", 50_000)
	c.send("POST" + head + "X-A: 1\r\n\r\n" +
		"PUT" + head + "X-A: 2" + long + "\r\n\r\n" +
		"POST" + head + "X-A: 3" + long + "\r\nX-B: 1\r\nX-B: 2\r\n\r\n" +
		"POST" + head + "\r\n")
	for _, want := range []string{"<nil>", "", "<nil>", "<nil>"} {
		c.wantAnswer(200, want)
	}
	if len(got) != 3 || got[0].Get("X-A") != "1" || got[1].Get("X-A") != "3"+long || !slices.Equal(got[1]["X-B"], []string{"1", "2"}) ||
		len(got[1]) != 2 || len(got[2]) != 0 {
		t.Errorf("got %.300v", got)
	}
	if reasons := d.refusals(); len(reasons) > 0 {
		t.Errorf("refused: %q", reasons)
	}
}

// What follows a request for another protocol may look like an empty line.
func TestUpgradeKeepsAnEmptyLine(t *testing.T) {
	for _, frames := range []string{"\r\nx", "\r\n\r\n\r\nx", "\rx"} {
		d := openDoor(t, doorConfig{handler: http.HandlerFunc(upgrade)})
		c := d.dial(t)
		c.send("GET /u HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n" + frames)
		if resp, err := http.ReadResponse(c.in, nil); err != nil || resp.StatusCode != 101 {
			t.Fatalf("answer %v, %v", resp, err)
		}
		c.Conn.(*net.TCPConn).CloseWrite()
		if echo, err := io.ReadAll(c.in); err != nil || string(echo) != frames {
			t.Errorf("%q came back as %q, %v", frames, echo, err)
		}
	}
}
