package main

import (
	"context"
	"fmt"
	"os"
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	"go.temporal.io/server/temporal"
)

const (
	startLimit = 60 * time.Second // a loaded machine; normal is half a second
	stopLimit  = 5 * time.Second  // open polls take the server up to 3 s to drain
)

// stack is the server with its database, and the UI.
type stack struct {
	namespaces []string
	frontend   *reservation
	server     temporal.Server
	database   *database        // held for the life of the process
	uiAddress  *reservation     // nil without UI
	ui         *uiserver.Server // nil without UI
}

// open claims the ports and the database, in this order, so that a taken port
// leaves nothing behind. Nothing listens yet.
func open(opts options) (*stack, error) {
	s := &stack{namespaces: opts.namespaces}
	var err error
	if s.frontend, err = reserve("-frontend", opts.frontend); err != nil {
		return nil, err
	}
	if opts.ui != "" {
		if s.uiAddress, err = reserve("-ui", opts.ui); err != nil {
			return nil, err
		}
	}
	ports, err := reserveServices(s.frontend)
	if err != nil {
		return nil, err
	}
	if s.database, err = openDatabase(opts.db); err != nil {
		return nil, err
	}
	if err := s.database.createNamespaces(opts.namespaces, opts.retention); err != nil {
		return nil, err
	}
	if s.server, err = newServer(ports, s.database.settings, newLogger(opts.logLevel)); err != nil {
		return nil, fmt.Errorf("setting up the Temporal server: %w", err)
	}
	if s.uiAddress != nil {
		s.ui = newUI(s.uiAddress, s.frontend.dialAddress(), opts.namespaces[0])
	}
	return s, nil
}

// start returns when clients can use every namespace and the UI answers. After
// an error, stop is still to be called.
func (s *stack) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	if err := s.server.Start(); err != nil {
		return fmt.Errorf("starting the Temporal server: %w", err)
	}
	if err := untilUsable(ctx, s.frontend.dialAddress(), s.namespaces); err != nil {
		return err
	}
	if s.ui == nil {
		return nil
	}
	go func() { _ = s.ui.Start() }() // returns nil after Stop; ends the process if it cannot listen
	return untilListening(ctx, s.uiAddress.dialAddress())
}

// stop ends the stack in order, or gives up waiting after stopLimit: what
// clients were told is in the database either way.
func (s *stack) stop() error {
	if s.ui != nil {
		s.ui.Stop()
	}
	stopped := make(chan error, 1)
	go func() { stopped <- s.server.Stop() }()
	select {
	case err := <-stopped:
		return err
	case <-time.After(stopLimit):
		fmt.Fprintf(os.Stderr, "devstack: the server did not stop in %s, leaving it\n", stopLimit)
		return nil
	}
}
