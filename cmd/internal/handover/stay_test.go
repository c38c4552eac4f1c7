package handover_test

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"go.uber.org/zap"

	"sluice/cmd/internal/handover"
)

// What nobody else can go on with is closed where others move, not before it is
// between two requests.
func TestConnectionThatStaysIsClosed(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer inner.Close()
	all := handover.NewConnections(zap.NewNop())
	listener := all.Listener(inner)
	clients := make([]net.Conn, 2)
	for i := range clients {
		if clients[i], err = net.Dial("tcp", inner.Addr().String()); err != nil {
			t.Fatal(err)
		}
		defer clients[i].Close()
		accepted, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		conn := accepted.(*handover.Conn)
		if i == 0 {
			conn.Stay()
		}
		go func() { // as net/http: what ends a Read ends the connection
			_, _ = conn.Read(make([]byte, 1))
			conn.Close()
		}()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var given []*net.TCPConn
	moved, err := all.MoveTo(ctx, func(conn *net.TCPConn) error {
		copied, err := conn.File()
		if err != nil {
			return err
		}
		t.Cleanup(func() { copied.Close() })
		given = append(given, conn)
		return nil
	})
	if err != nil || moved != 1 || len(given) != 1 {
		t.Errorf("%d moved, %d given, %v; want one", moved, len(given), err)
	}
	clients[0].SetDeadline(time.Now().Add(30 * time.Second))
	if n, err := clients[0].Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("the one that stays: %d, %v; want its end", n, err)
	}
}
