// Command devstack runs a real Temporal server with its web UI in one process,
// for development and tests. Nothing in it is fit for production: no TLS, no
// authorisation, one shard.
//
// Invariants:
//   - stdout carries exactly one line, the JSON announcement, written once the
//     namespaces can be used and the UI answers. Everything else goes to stderr.
//   - A taken port or database is found before anything is created.
//   - With -db, what a client was told is in the file: the process may be killed
//     at any moment and started again on the same file, and running workflows
//     go on. (Process death; synchronous=1 does not promise it for power loss.)
//   - Any number of devstacks run side by side: only -frontend and -ui are
//     addresses of the caller's choice, and a database has one owner.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	opts, err := parseFlags(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		os.Exit(2)
	}
	if err := run(opts); err != nil {
		fmt.Fprintln(os.Stderr, "devstack:", err)
		os.Exit(1)
	}
}

// run serves until a signal or, where asked for, the end of stdin.
func run(opts options) error {
	stdout, err := claimStdout()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if opts.exitOnStdinClose {
		if ctx, err = untilStdinCloses(ctx); err != nil {
			return err
		}
	}
	stack, err := open(opts)
	if err != nil {
		return err
	}
	if err = stack.start(ctx); err == nil {
		err = announce(stdout, stack)
	}
	if err != nil && ctx.Err() == nil {
		return errors.Join(err, stack.stop())
	}
	<-ctx.Done()
	stop() // a second signal ends the process at once
	return stack.stop()
}

// announce tells the starter that the stack is ready, and where it is.
func announce(stdout io.Writer, s *stack) error {
	line := struct {
		Frontend string `json:"frontend"` // host:port for clients
		UI       string `json:"ui"`       // URL; empty without -ui
	}{Frontend: s.frontend.dialAddress()}
	if s.ui != nil {
		line.UI = "http://" + s.uiAddress.dialAddress()
	}
	if err := json.NewEncoder(stdout).Encode(line); err != nil {
		return fmt.Errorf("announcing on stdout: %w", err)
	}
	return nil
}
