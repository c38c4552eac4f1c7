package handover_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"sluice/cmd/internal/handover"
	"sluice/router/framing"
)

// generation is one server in a row of them, as a gateway is wired.
type generation struct {
	number      int
	connections *handover.Connections
	server      *http.Server
	listener    *net.TCPListener
	inherited   *handover.Inherited
	offer       *handover.Offer
	accepting   sync.WaitGroup
	header      time.Duration // that a head may take
	ended       chan error    // gets the outcome of its handing over
}

// noHurry is a limit that no test comes near, however slow the machine.
const noHurry = time.Minute

// next takes over from the generation that runs on the directory, or is the first.
func next(t *testing.T, dir string, number int) *generation {
	t.Helper()
	return nextWithin(t, dir, number, noHurry)
}

func nextWithin(t *testing.T, dir string, number int, header time.Duration) *generation {
	t.Helper()
	g := &generation{number: number, header: header, connections: handover.NewConnections(zap.NewNop()), ended: make(chan error, 1)}
	before, err := handover.Find(t.Context(), handover.Socket(dir))
	if err != nil {
		t.Fatal(err)
	}
	if before == nil {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		g.listener = listener.(*net.TCPListener)
	} else {
		g.listener = before.Listener(before.Addresses()[0]).(*net.TCPListener)
		if err := before.Stop(noHurry); err != nil {
			t.Fatal(err)
		}
		g.inherited = before.Inherited()
	}
	g.serve()
	if g.offer, err = handover.NewOffer(handover.OfferConfig{
		Path: handover.Socket(dir), Listeners: []*net.TCPListener{g.listener}, Patience: time.Second, Log: zap.NewNop(),
	}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() { cancel(); g.offer.Close(); g.server.Close() })
	go func() { _ = g.offer.Serve(ctx) }()
	go g.succeed(ctx)
	return g
}

// serve answers with the generation's number and the body. A body of "slow" takes
// a moment.
func (g *generation) serve() {
	g.server = &http.Server{
		ReadHeaderTimeout: g.header, IdleTimeout: noHurry,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if strings.HasPrefix(string(body), "slow") {
				time.Sleep(100 * time.Millisecond)
			}
			fmt.Fprintf(w, "%d %s", g.number, body)
		}),
		ConnState: func(conn net.Conn, state http.ConnState) {
			framed := conn.(*framing.Conn)
			switch state {
			case http.StateNew:
				framed.Conn.(*handover.Conn).Begin(framed.Messages)
			case http.StateIdle:
				framed.Conn.(*handover.Conn).Answered()
				framed.Answered()
			}
		},
	}
	clients := []net.Listener{g.listener}
	if g.inherited != nil {
		clients = append(clients, g.inherited)
	}
	for _, inner := range clients {
		g.accepting.Go(func() { _ = g.server.Serve(framing.NewListener(g.connections.Listener(inner), framing.Limits{})) })
	}
}

// succeed hands over to whoever comes.
func (g *generation) succeed(ctx context.Context) {
	select {
	case heir := <-g.offer.Taken():
		errs := []error{g.offer.Close(), g.listener.Close(), heir.Stopped()}
		limit, cancel := context.WithTimeout(ctx, noHurry)
		defer cancel()
		if g.inherited != nil {
			errs = append(errs, g.inherited.End(limit))
		}
		g.accepting.Wait()
		_, err := g.connections.MoveTo(limit, heir.Give)
		g.ended <- errors.Join(append(errs, err, heir.Close())...)
	case <-ctx.Done():
	}
}

// gone waits until the generation has handed over everything.
func (g *generation) gone(t *testing.T) {
	t.Helper()
	if err := <-g.ended; err != nil {
		t.Fatal(err)
	}
}

func request(body string) string {
	return fmt.Sprintf("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// client is one connection.
type client struct {
	net.Conn
	answers *bufio.Reader
}

func connect(t *testing.T, g *generation) *client {
	t.Helper()
	conn, err := net.Dial("tcp", g.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	return &client{conn, bufio.NewReader(conn)}
}

func (c *client) say(t *testing.T, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

// answer reads one answer.
func (c *client) answer() (string, error) {
	response, err := http.ReadResponse(c.answers, nil)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = errors.New(response.Status)
	}
	return string(text), err
}

func (c *client) hears(t *testing.T, want string) {
	t.Helper()
	if got, err := c.answer(); err != nil || got != want {
		t.Fatalf("got %q, %v, want %q", got, err, want)
	}
}

// Wherever a connection stands when its server is replaced, every request on it
// gets its answer, and after it the connection is the next one's.
func TestAConnectionMovesBetweenRequests(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		before, after string // what is said before the change, and once it is under way
		want          []string
	}{
		"before the first request":    {"", request("a"), []string{"? a"}},
		"in a head":                   {request("a")[:20], request("a")[20:] + request("b"), []string{"1 a", "? b"}},
		"in a body":                   {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx", "y" + request("b"), []string{"1 xy", "? b"}},
		"while it is answered":        {request("slow"), "", []string{"1 slow"}},
		"behind it a part of another": {request("slow") + request("b")[:3], request("b")[3:], []string{"1 slow", "1 b"}},
		"behind it another":           {request("slow") + request("b"), "", []string{"1 slow", "1 b"}},
		"behind it an empty line":     {request("slow") + "\r\n", "", []string{"1 slow"}},
		"an empty line comes later":   {request("slow"), "\r\n", []string{"1 slow"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			first := next(t, dir, 1)
			conn, idle := connect(t, first), connect(t, first)
			idle.say(t, request("i"))
			idle.hears(t, "1 i")
			conn.say(t, c.before)
			time.Sleep(50 * time.Millisecond) // it is read
			next(t, dir, 2)
			conn.say(t, c.after)
			for _, want := range c.want {
				got, err := conn.answer()
				if rest, either := strings.CutPrefix(want, "?"); err != nil || got != want && !(either && strings.HasSuffix(got, rest)) {
					t.Fatalf("got %q, %v, want %q", got, err, want)
				}
			}
			first.gone(t)
			for _, moved := range []*client{conn, idle} {
				moved.say(t, "\r\n"+request("z")) // as if it belonged to the last one
				moved.hears(t, "2 z")
			}
		})
	}
}

// Clients that write whatever they have at any time, in pieces and ahead of the
// answers, get all answers in order from a row of servers.
func TestNoRequestIsLostBetweenManyServers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	last := next(t, dir, 0)
	var clients sync.WaitGroup
	done := make(chan struct{})
	for i := range 32 {
		conn := connect(t, last)
		clients.Go(func() {
			if n, err := conn.chatter(rand.New(rand.NewPCG(1, uint64(i))), done); err != nil {
				t.Errorf("client %d, request %d: %v", i, n, err)
			}
		})
	}
	for n := range 40 {
		time.Sleep(10 * time.Millisecond)
		following := next(t, dir, n+1)
		last.gone(t)
		last = following
	}
	close(done)
	clients.Wait()
}

// chatter sends up to three requests at a time, cut anywhere, and reads their
// answers, until done is closed.
func (c *client) chatter(random *rand.Rand, done <-chan struct{}) (n int, err error) {
	for {
		var text strings.Builder
		burst := 1
		if random.IntN(4) == 0 {
			burst += random.IntN(3)
		}
		for i := range burst {
			text.WriteString(request(fmt.Sprint(n + i)))
		}
		for rest := text.String(); rest != ""; {
			cut := len(rest)
			if random.IntN(3) == 0 {
				cut = 1 + random.IntN(len(rest))
			}
			if _, err := io.WriteString(c, rest[:cut]); err != nil {
				return n, err
			}
			rest = rest[cut:]
			time.Sleep(time.Duration(random.IntN(3000)) * time.Microsecond)
		}
		for range burst {
			text, err := c.answer()
			if err != nil {
				return n, err
			}
			if _, got, _ := strings.Cut(text, " "); got != fmt.Sprint(n) {
				return n, fmt.Errorf("it is answered %q", text)
			}
			n++
		}
		select {
		case <-done:
			return n, nil
		default:
		}
	}
}

// A connection that was idle may stay so at its new server, for longer than a
// head may take; once a head begins it has to come.
func TestAnInheritedConnectionMayStayIdle(t *testing.T) {
	t.Parallel()
	const header = 300 * time.Millisecond
	dir := t.TempDir()
	first := next(t, dir, 1)
	idle, slow := connect(t, first), connect(t, first)
	for _, c := range []*client{idle, slow} {
		c.say(t, request("a"))
		c.hears(t, "1 a")
	}
	nextWithin(t, dir, 2, header)
	first.gone(t)
	time.Sleep(2 * header)
	idle.say(t, request("b"))
	idle.hears(t, "2 b")
	slow.say(t, "POST /")
	if text, err := slow.answer(); err == nil {
		t.Errorf("a head that does not end was answered %q", text)
	} else if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("a head that does not end is waited for")
	}
}

// A stale file is nobody, and so is one where none can be.
func TestNobodyIsThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: handover.Socket(dir)})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	stale.Close()
	for _, dir := range []string{dir, t.TempDir(), filepath.Join(dir, strings.Repeat("long", 40))} {
		if p, err := handover.Find(t.Context(), handover.Socket(dir)); p != nil || err != nil {
			t.Errorf("got %v, %v", p, err)
		}
	}
	next(t, dir, 1) // steps over it
}
