package temporaltest_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"sluice/temporalpath/temporaltest"
)

const taskQueue = "temporaltest"

// greet answers at once.
func greet(_ workflow.Context, name string) (string, error) { return "hello " + name, nil }

// awaitName waits for the signal "name" and greets.
func awaitName(ctx workflow.Context) (string, error) {
	var name string
	workflow.GetSignalChannel(ctx, "name").Receive(ctx, &name)
	return "hello " + name, nil
}

func dial(t *testing.T, s *temporaltest.Server) client.Client {
	t.Helper()
	c, err := client.Dial(client.Options{
		HostPort: s.Frontend,
		Logger:   log.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func startWorker(t *testing.T, c client.Client) {
	t.Helper()
	w := worker.New(c, taskQueue, worker.Options{})
	w.RegisterWorkflow(greet)
	w.RegisterWorkflow(awaitName)
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
}

func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func result(t *testing.T, run client.WorkflowRun) string {
	t.Helper()
	var text string
	if err := run.Get(deadline(t), &text); err != nil {
		t.Fatal(err)
	}
	return text
}

func execute(t *testing.T, c client.Client, id string, fn any, args ...any) client.WorkflowRun {
	t.Helper()
	run, err := c.ExecuteWorkflow(deadline(t), client.StartWorkflowOptions{ID: id, TaskQueue: taskQueue}, fn, args...)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func TestServerRunsWorkflow(t *testing.T) {
	t.Parallel()
	c := dial(t, temporaltest.Start(t))
	startWorker(t, c)
	if got := result(t, execute(t, c, "greet", greet, "sluice")); got != "hello sluice" {
		t.Errorf("result %q", got)
	}
}

// The first start after readiness must not miss the namespace: no client is
// dialled first, nothing retries.
func TestReadyMeansUsable(t *testing.T) {
	t.Parallel()
	s := temporaltest.Start(t)
	c, err := client.NewLazyClient(client.Options{HostPort: s.Frontend, Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	run := execute(t, c, "first", greet, "first")
	if _, err := c.DescribeWorkflowExecution(deadline(t), run.GetID(), run.GetRunID()); err != nil {
		t.Error(err)
	}
}

func TestWorkflowOutlivesKilledServer(t *testing.T) {
	t.Parallel()
	s := temporaltest.Start(t, temporaltest.WithFile(filepath.Join(t.TempDir(), "temporal.db")))
	address := s.Frontend
	c := dial(t, s)
	startWorker(t, c)
	run := execute(t, c, "wait", awaitName)
	s.Kill()
	if conn, err := net.Dial("tcp", address); err == nil {
		conn.Close()
		t.Fatal("a killed server still accepts connections")
	}
	s.Restart(t)
	if s.Frontend != address {
		t.Fatalf("restarted at %s instead of %s", s.Frontend, address)
	}
	if err := c.SignalWorkflow(deadline(t), run.GetID(), run.GetRunID(), "name", "again"); err != nil {
		t.Fatal(err)
	}
	if got := result(t, run); got != "hello again" {
		t.Errorf("result %q", got)
	}
}

func TestRestartWithoutFileForgets(t *testing.T) {
	t.Parallel()
	s := temporaltest.Start(t)
	execute(t, dial(t, s), "lost", awaitName)
	s.Restart(t)
	if _, err := dial(t, s).DescribeWorkflowExecution(deadline(t), "lost", ""); err == nil {
		t.Error("a workflow outlived a server in memory")
	}
}

func TestServersSideBySide(t *testing.T) {
	t.Parallel()
	one, other := temporaltest.Start(t), temporaltest.Start(t)
	execute(t, dial(t, one), "here", awaitName)
	if _, err := dial(t, one).DescribeWorkflowExecution(deadline(t), "here", ""); err != nil {
		t.Error(err)
	}
	if _, err := dial(t, other).DescribeWorkflowExecution(deadline(t), "here", ""); err == nil {
		t.Error("two servers share their workflows")
	}
}

func TestFrozenServerAnswersAfterThaw(t *testing.T) {
	t.Parallel()
	s := temporaltest.Start(t)
	c := dial(t, s)
	s.Freeze()
	short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := c.CheckHealth(short, nil); err == nil {
		t.Error("a frozen server answered")
	}
	s.Thaw()
	if _, err := c.CheckHealth(deadline(t), nil); err != nil {
		t.Errorf("after the thaw: %v", err)
	}
}

func TestStopEndsFrozenServerCleanly(t *testing.T) {
	t.Parallel()
	s := temporaltest.Start(t)
	s.Freeze()
	s.Stop() // fails the test if the exit status is not 0
	if conn, err := net.Dial("tcp", s.Frontend); err == nil {
		conn.Close()
		t.Error("a stopped server still accepts connections")
	}
	s.Stop()
	s.Kill()
}

func TestUIServesPageAndNamespaces(t *testing.T) {
	t.Parallel()
	s := temporaltest.Start(t, temporaltest.WithUI())
	for path, want := range map[string]string{"/": "<html", "/api/v1/namespaces": `"default"`} {
		response, err := http.Get(s.UI + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
			t.Errorf("GET %s: %s, %v, without %s in %.200s", path, response.Status, err, want, body)
		}
	}
}

func TestTakenPortIsNamed(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	address := taken.Addr().String()
	for _, flag := range []string{"-frontend", "-ui"} {
		file := filepath.Join(t.TempDir(), "untouched.db")
		args := []string{"-frontend", "127.0.0.1:0", "-ui", "", "-db", file, flag, address}
		cmd := exec.CommandContext(deadline(t), temporaltest.Binary(t), args...)
		var stdout, stderr strings.Builder
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		_ = cmd.Run()
		if code := cmd.ProcessState.ExitCode(); code != 1 {
			t.Errorf("%s: exit status %d", flag, code)
		}
		if text := stderr.String(); !strings.Contains(text, address) || !strings.Contains(text, flag) {
			t.Errorf("%s: stderr names not the address and the flag: %s", flag, text)
		}
		if stdout.Len() > 0 {
			t.Errorf("%s: stdout %q", flag, stdout.String())
		}
		if left, _ := filepath.Glob(file + "*"); len(left) > 0 {
			t.Errorf("%s: work was begun: %v", flag, left)
		}
	}
}

func TestDatabaseInUseIsNamed(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "temporal.db")
	temporaltest.Start(t, temporaltest.WithFile(file))
	cmd := exec.CommandContext(deadline(t), temporaltest.Binary(t), "-frontend", "127.0.0.1:0", "-ui", "", "-db", file)
	output, _ := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(string(output), file) {
		t.Errorf("exit status %d: %s", code, output)
	}
}
