package temporaltest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// starterEnv makes the test binary a starter that launches a devstack, prints
// "up" and waits to be killed.
const starterEnv = "TEMPORALTEST_STARTER_ARGS"

func TestMain(m *testing.M) {
	if args := os.Getenv(starterEnv); args != "" {
		child, err := launch(os.Getenv("SLUICE_DEVSTACK"), strings.Fields(args))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if os.Getenv("TEMPORALTEST_FREEZE") != "" {
			(&Server{child: child}).Freeze()
		}
		fmt.Println("up")
		select {}
	}
	os.Exit(m.Run())
}

// A frozen devstack does not see its stdin close: the kernel has to kill it.
func TestKilledStarterLeavesNoOrphan(t *testing.T) {
	t.Parallel()
	for name, freeze := range map[string]string{"running": "", "frozen": "yes"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := holdPort(t)
			starter := exec.Command(os.Args[0])
			starter.Env = append(os.Environ(), "SLUICE_DEVSTACK="+Binary(t), "TEMPORALTEST_FREEZE="+freeze,
				starterEnv+"=-exit-on-stdin-close -ui= -frontend "+address)
			starter.Stderr = os.Stderr
			stdout, err := starter.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := starter.Start(); err != nil {
				t.Fatal(err)
			}
			up := make([]byte, 2)
			if _, err := stdout.Read(up); err != nil || string(up) != "up" {
				t.Fatalf("the starter said %q, %v", up, err)
			}
			if err := starter.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = starter.Wait()
			untilRefused(t, address)
		})
	}
}

func TestClosedStdinEndsServerCleanly(t *testing.T) {
	t.Parallel()
	child, err := launch(Binary(t), []string{"-exit-on-stdin-close", "-ui", "", "-frontend", holdPort(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(child.kill)
	if err := child.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if !child.waitFor(stopLimit) || child.exit != nil {
		t.Errorf("after stdin closed: %v\n%s", child.exit, child.log())
	}
}

func untilRefused(t *testing.T, address string) {
	t.Helper()
	for end := time.Now().Add(stopLimit); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		conn.Close()
		if time.Now().After(end) {
			t.Fatalf("devstack at %s outlived its starter", address)
		}
	}
}
