package endtoend_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/zap"

	"sluice/cmd/internal/gateway"
	"sluice/configs"
)

// childVariable holds the settings of a child process that is a gateway, so that a
// test can kill it.
const childVariable = "ENDTOEND_TEST_GATEWAY"

func TestMain(m *testing.M) {
	if settings := os.Getenv(childVariable); settings != "" {
		log.Fatal(beGateway(settings))
	}
	if asked := os.Getenv(asValidation); asked != "" {
		log.Fatal(beValidation(asked))
	}
	if os.Getenv(asLoad) != "" {
		if err := serveLoad(); err != nil {
			log.Fatal(err)
		}
		return
	}
	os.Exit(m.Run())
}

// beGateway runs a gateway until the process is killed, and prints its address.
func beGateway(encoded string) error {
	signal.Ignore(syscall.SIGXFSZ) // a disk that is full may be a limit of the process
	var settings []string
	if err := json.Unmarshal([]byte(encoded), &settings); err != nil {
		return err
	}
	config, err := configs.Load("../../../configs/gateway.yaml", settings...)
	if err != nil {
		return err
	}
	g, err := gateway.Open(context.Background(), config, gateway.Options{Version: "test", Log: zap.NewNop(), Lookup: noVariables})
	if err != nil {
		return err
	}
	fmt.Println(g.PublicAddress())
	return g.Run(context.Background())
}

// spawnGateway runs a gateway in a process of its own. kill ends it as a crash
// does.
func spawnGateway(t testing.TB, settings []string) (address string, kill func()) {
	t.Helper()
	address, _, kill = spawnGatewayProcess(t, settings)
	return address, kill
}

func spawnGatewayProcess(t testing.TB, settings []string) (address string, pid int, kill func()) {
	t.Helper()
	encoded, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childVariable+"="+string(encoded))
	child.Stderr = os.Stderr
	output, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	killed := false
	kill = func() {
		if !killed {
			killed = true
			_ = child.Process.Kill() // it may have ended by itself
			_ = child.Wait()
		}
	}
	t.Cleanup(kill)
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatalf("the gateway does not start: %v", err)
	}
	return strings.TrimSpace(line), child.Process.Pid, kill
}
