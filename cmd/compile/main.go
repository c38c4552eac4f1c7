// Command compile builds a program as `go build` does and shows how far it is: in
// place on a terminal, else in a line now and then.
//
//	compile [-C DIRECTORY] [-ldflags FLAGS] -o FILE PACKAGE
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"sluice/cmd/internal/compile"
	"sluice/cmd/internal/console"
)

func main() {
	var config compile.Config
	flag.StringVar(&config.Directory, "C", ".", "`directory` of the program's module")
	flag.StringVar(&config.LDFlags, "ldflags", "", "`flags` for the linker")
	flag.StringVar(&config.Output, "o", "", "`file` to make")
	flag.Parse()
	if flag.NArg() != 1 || config.Output == "" {
		fmt.Fprintln(os.Stderr, "usage: compile [-C DIRECTORY] [-ldflags FLAGS] -o FILE PACKAGE")
		os.Exit(2)
	}
	config.Package = flag.Arg(0)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := build(ctx, config); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func build(ctx context.Context, config compile.Config) error {
	out, name, began := console.New(os.Stdout), filepath.Base(config.Output), time.Now()
	config.Progress = func(text string) { out.Status("building " + name + ": " + text) }
	err := compile.Build(ctx, config)
	out.Status("")
	if ctx.Err() != nil {
		return fmt.Errorf("stopped: what %s has so far is in the build cache, and the next build goes on from there", name)
	}
	if err == nil {
		out.Print(fmt.Sprintf("built %s in %s\n", name, time.Since(began).Round(time.Second)))
	}
	return err
}
