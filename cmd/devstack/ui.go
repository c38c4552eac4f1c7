package main

import (
	"context"
	"fmt"
	"net"
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	uioptions "github.com/temporalio/ui-server/v2/server/server_options"
)

// newUI wires the web UI at address for the server at frontend. It listens on
// nothing before Start, which ends the process if it cannot listen.
func newUI(address *reservation, frontend, defaultNamespace string) *uiserver.Server {
	host := address.addr.Addr().String()
	if address.addr.Addr().Is6() {
		host = "[" + host + "]" // the UI joins host and port with a bare colon
	}
	return uiserver.NewServer(uioptions.WithConfigProvider(&uiconfig.Config{
		Host:                host,
		Port:                int(address.addr.Port()),
		TemporalGRPCAddress: frontend,
		DefaultNamespace:    defaultNamespace,
		EnableUI:            true,
		DisableNewsFetch:    true,                                // no calls to the internet
		CORS:                uiconfig.CORS{CookieInsecure: true}, // plain HTTP on loopback
		HideLogs:            true,
	}))
}

// untilListening returns when address accepts connections.
func untilListening(ctx context.Context, address string) error {
	var dialer net.Dialer
	for {
		conn, err := dialer.DialContext(ctx, "tcp", address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the UI does not answer at %s: %w", address, err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}
