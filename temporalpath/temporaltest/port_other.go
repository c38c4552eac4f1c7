//go:build !linux

package temporaltest

import (
	"net"
	"testing"
)

// holdPort returns a loopback address that is free now. These systems hand out
// free ports in turn, so it comes round again only after thousands.
func holdPort(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("finding a free port: %v", err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
