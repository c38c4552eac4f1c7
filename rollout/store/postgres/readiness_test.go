package postgres_test

import (
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"sluice/rollout/store/postgres"
)

// A database that falls silent costs the first requests their wait, and no other:
// the exchange is not even begun.
func TestSilentDatabaseIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	proxy := newSilencer(t, server.Address())
	store := open(t, strings.Replace(dsn, server.Address(), proxy.listener.Addr().String(), 1), func(cfg *postgres.Config) {
		cfg.Timeout = 500 * time.Millisecond
	})
	if _, err := take(store, "before", intent, "a"); err != nil {
		t.Fatal(err)
	}
	proxy.silence()
	if _, err := take(store, "first", intent, "a"); !errors.Is(err, postgres.ErrAway) {
		t.Fatalf("got %v", err)
	}
	asked := proxy.asked()
	for range 100 {
		if _, err := take(store, "next", intent, "a"); !errors.Is(err, postgres.ErrAway) || errors.Is(err, postgres.ErrUnknown) {
			t.Fatalf("got %v", err)
		}
	}
	if now := proxy.asked(); now > asked+20 { // a probe now and then
		t.Errorf("100 requests asked the database %d times", now-asked)
	}
}

// silencer passes connections on until it is told to swallow all that comes.
type silencer struct {
	listener net.Listener
	quiet    chan struct{}
	writes   chan struct{}
}

func newSilencer(t *testing.T, to string) *silencer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &silencer{listener: listener, quiet: make(chan struct{}), writes: make(chan struct{}, 1<<16)}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", to)
			if err != nil {
				conn.Close()
				return
			}
			t.Cleanup(func() { conn.Close(); server.Close() })
			go s.pass(conn, server)
			go s.pass(server, conn)
		}
	}()
	return s
}

func (s *silencer) silence() { close(s.quiet) }

func (s *silencer) asked() int { return len(s.writes) }

func (s *silencer) pass(from, to net.Conn) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			to.Close()
			return
		}
		select {
		case <-s.quiet:
			s.writes <- struct{}{}
			continue
		default:
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}
