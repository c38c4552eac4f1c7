package embedded_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"sluice/rollout/store/embedded"
)

// The test binary is also the process that is killed, and the one that is
// measured: this variable says which, and the next one where the claims are.
const (
	role    = "SLUICE_TEST_ROLE"
	roleDir = "SLUICE_TEST_DIR"
)

func TestMain(m *testing.M) {
	roles := map[string]func(dir string) error{"load": load, "million": million, "again": again}
	run, child := roles[os.Getenv(role)]
	if !child {
		os.Exit(m.Run())
	}
	if err := run(os.Getenv(roleDir)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child returns the command that runs the role.
func child(ctx context.Context, name, dir string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), role+"="+name, roleDir+"="+dir)
	cmd.Stderr = os.Stderr
	return cmd
}

// killed is a store with segments so small that the sweeper is always at work.
func killed(dir string) embedded.Config {
	c := gateway(dir)
	c.SegmentBytes = 16 << 10
	return c
}

// loaders is how many documents load counts on.
const loaders = 64

// load counts attempts on its documents, and says so after each, until it is
// killed.
func load(dir string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // if nobody kills it
	defer cancel()
	s, err := embedded.Open(ctx, killed(dir))
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	for i := range loaders {
		all.Go(func() {
			id := fmt.Sprint("doc-", i)
			for s.Update(ctx, id, counting(take(wish(id)))) == nil {
				_, _ = fmt.Fprintf(os.Stdout, "%d\n", i)
			}
		})
	}
	all.Go(func() { // and all the while somebody decides
		for decided(ctx, s) == nil {
			time.Sleep(time.Millisecond)
		}
	})
	all.Wait()
	return fmt.Errorf("nobody killed the child")
}
