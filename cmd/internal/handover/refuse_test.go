package handover_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"sluice/cmd/internal/handover"
)

// A build that knows no layouts, or one that is too old, is refused while the gateway
// goes on serving; it used to take the sockets and end then.
func TestAnOlderBuildTakesNothingOver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	offer, err := handover.NewOffer(handover.OfferConfig{Path: handover.Socket(dir), Patience: time.Second, Log: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error)
	go func() { served <- offer.Serve(ctx) }()
	for _, stop := range []string{`{"say":"stop","process":4711}`, `{"say":"stop","process":4711,"layout":1}`} {
		conn, err := net.Dial("unix", handover.Socket(dir))
		if err != nil {
			t.Fatal(err)
		}
		said := bufio.NewReader(conn)
		if line, err := said.ReadString('\n'); err != nil || !strings.Contains(line, `"say":"offer"`) {
			t.Fatalf("%s, %v", line, err)
		}
		if _, err := fmt.Fprintln(conn, stop); err != nil {
			t.Fatal(err)
		}
		if line, err := said.ReadString('\n'); err != nil || !strings.Contains(line, `"say":"refused"`) || !strings.Contains(line, "run a newer one") {
			t.Errorf("%s is answered %s, %v", stop, line, err)
		}
		conn.Close()
	}
	select {
	case heir := <-offer.Taken():
		t.Errorf("process %d took over", heir.Process)
	default:
	}
	before, err := handover.Find(t.Context(), handover.Socket(dir)) // of this build
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = (<-offer.Taken()).Stopped() }()
	if err := before.Stop(time.Second); err != nil {
		t.Errorf("this build: %v", err)
	}
	before.Close()
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}
