package main

import (
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"go.temporal.io/server/common/namespace"
	"go.uber.org/zap/zapcore"
)

// options is the command line, checked.
type options struct {
	frontend         string        // host:port; port 0 picks a free one
	ui               string        // host:port; empty: no UI
	db               string        // SQLite file; empty: in memory
	namespaces       []string      // created where missing; at least one
	retention        time.Duration // of closed workflows, for namespaces created now
	logLevel         zapcore.Level // of the server, on stderr
	exitOnStdinClose bool
}

// parseFlags reads args. It has printed the problem and the usage to stderr
// when it returns an error; flag.ErrHelp means that help was asked for.
func parseFlags(args []string, stderr io.Writer) (options, error) {
	opts := options{}
	var names namespaceList
	fs := flag.NewFlagSet("devstack", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&opts.frontend, "frontend", "127.0.0.1:7233", "`address` of the Temporal frontend (gRPC); port 0 picks a free one")
	fs.StringVar(&opts.ui, "ui", "127.0.0.1:8233", "`address` of the web UI; port 0 picks a free one, empty means no UI")
	fs.StringVar(&opts.db, "db", "", "SQLite `file` that keeps everything across restarts; empty keeps it in memory")
	fs.Var(&names, "namespace", "`name` of a namespace to create where missing; repeatable, or a comma list (default \"default\")")
	fs.DurationVar(&opts.retention, "retention", 24*time.Hour, "how long closed workflows are kept, for namespaces created now (at least 1h)")
	opts.logLevel = zapcore.ErrorLevel
	fs.TextVar(&opts.logLevel, "log-level", opts.logLevel, "least `level` of the server's log on stderr: debug, info, warn, error or fatal")
	fs.BoolVar(&opts.exitOnStdinClose, "exit-on-stdin-close", false, "exit when stdin, a pipe held by the starter, is closed")
	if err := fs.Parse(args); err != nil {
		return options{}, err
	}
	opts.namespaces = names
	if len(names) == 0 {
		opts.namespaces = []string{"default"}
	}
	if err := opts.check(fs.Args()); err != nil {
		fmt.Fprintln(stderr, "devstack:", err)
		fs.Usage()
		return options{}, err
	}
	return opts, nil
}

func (o options) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("unexpected argument %q: devstack takes flags only", rest[0])
	case o.frontend == "":
		return fmt.Errorf("-frontend must not be empty: give host:port, port 0 for any free one")
	case o.retention < namespace.MinRetentionLocal:
		return fmt.Errorf("-retention %s is below Temporal's least, %s", o.retention, namespace.MinRetentionLocal)
	}
	return nil
}

// namespaceList is a flag.Value: each use appends, commas separate.
type namespaceList []string

func (l *namespaceList) String() string { return strings.Join(*l, ",") }

func (l *namespaceList) Set(value string) error {
	for name := range strings.SplitSeq(value, ",") {
		name = strings.TrimSpace(name)
		if name == "" {
			return fmt.Errorf("an empty namespace name")
		}
		if !slices.Contains(*l, name) {
			*l = append(*l, name)
		}
	}
	return nil
}
