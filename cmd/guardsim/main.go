// Guardsim plays traffic whose truth is known to the guardrails and to the literal
// rules that they replace, and prints how often and how soon each rolls back. The
// same flags print the same table.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"sluice/rollout/guard"
)

func main() {
	err := run(os.Args[1:], os.Stdout, os.Stderr)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "guardsim:", err)
		os.Exit(2)
	}
}

func run(args []string, stdout, stderr io.Writer) error {
	t := table{out: stdout, config: guard.Defaults()}
	flags := flag.NewFlagSet("guardsim", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&t.runs, "runs", 100, "how often each world is played, on other seeds")
	flags.Uint64Var(&t.seed, "seed", 1, "the first seed")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if t.runs < 1 {
		return errors.New("-runs is below 1: nothing would be played; leave it out for 100")
	}
	t.print()
	return nil
}
