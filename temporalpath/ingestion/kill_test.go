package ingestion_test

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"sluice/temporalpath/ingestion"
	"sluice/temporalpath/ingestion/stores"
)

// childVariable holds the task of a child process that is a worker.
const childVariable = "INGESTION_TEST_WORKER"

// childTask is what a child worker is told.
type childTask struct {
	Frontend, Queue, Dir string
	// HangOp is the call ("put" or "undo") of the store HangAt that is done and
	// then never returns. Empty: none.
	HangOp string
	HangAt stores.Kind
	// RefuseAt is the store that takes nothing. Empty: none.
	RefuseAt stores.Kind
}

// beChild runs a worker until the process is killed.
func beChild(encoded string) {
	var task childTask
	if err := json.Unmarshal([]byte(encoded), &task); err != nil {
		log.Fatal(err)
	}
	real, err := stores.OpenSet(context.Background(), stores.Everywhere(realDSN(task.Dir)))
	if err != nil {
		log.Fatal(err)
	}
	c, err := client.Dial(client.Options{HostPort: task.Frontend, Logger: silent{}})
	if err != nil {
		log.Fatal(err)
	}
	hang := func(kind stores.Kind, op string, _ stores.Ref) error {
		if kind == task.HangAt && op == task.HangOp {
			fmt.Println("reached")
			select {}
		}
		return nil
	}
	config := ingestion.Config{Stores: real.Set(), Shadow: real.Set(), Policy: quick}
	config = hooked(config, &diary{}, fail(task.RefuseAt, "put", stores.ErrRefused), hang)
	config.Policy.Timeout = 2 * time.Second // the server sees by it that an undo is lost
	w := worker.New(c, task.Queue, worker.Options{StickyScheduleToStartTimeout: time.Second})
	if err := ingestion.Register(w, config); err != nil {
		log.Fatal(err)
	}
	log.Fatal(w.Run(nil))
}

// spawn starts a child worker; it is killed when the test ends.
func spawn(t *testing.T, task childTask) (child *exec.Cmd, output *bufio.Reader) {
	t.Helper()
	encoded, err := json.Marshal(task)
	if err != nil {
		t.Fatal(err)
	}
	child = exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childVariable+"="+string(encoded))
	child.Stderr = os.Stderr
	pipe, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		child.Process.Kill()
		child.Wait()
	})
	return child, bufio.NewReader(pipe)
}

// killed starts a worker that hangs as task says, kills it with SIGKILL there,
// starts another, and returns how the ingestion ended.
func killed(t *testing.T, p *place, task childTask) (ingestion.Result, error) {
	t.Helper()
	first, output := spawn(t, task)
	type answer struct {
		result ingestion.Result
		err    error
	}
	answered := make(chan answer, 1)
	go func() {
		result, err := p.ingest(t, task.Queue, document(task.Queue, "a", prose))
		answered <- answer{result, err}
	}()
	if line, err := output.ReadString('\n'); line != "reached\n" {
		t.Fatalf("the worker said %q, error %v", line, err)
	}
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	task.HangAt, task.HangOp, task.RefuseAt = "", "", ""
	spawn(t, task)
	got := <-answered
	return got.result, got.err
}

func TestDocumentCompletesAfterKillOfTheWorkerInAnyStep(t *testing.T) {
	for _, kind := range stores.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			p := settle(t)
			result, err := killed(t, p, childTask{
				Frontend: p.server.Frontend, Queue: "kill-" + string(kind), Dir: p.dir, HangOp: "put", HangAt: kind,
			})
			if err != nil || result.Status != "ingested" {
				t.Errorf("result %+v, error %v", result, err)
			}
			for _, kind := range stores.Kinds() {
				if n := rows(t, p.dir, kind); n != 1 {
					t.Errorf("the %s store has %d records, want exactly one", kind, n)
				}
			}
		})
	}
}

func TestCompensationCompletesAfterKillOfTheWorker(t *testing.T) {
	for _, kind := range []stores.Kind{stores.Graph, stores.Document} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			p := settle(t)
			_, err := killed(t, p, childTask{
				Frontend: p.server.Frontend, Queue: "kill-undo-" + string(kind), Dir: p.dir,
				RefuseAt: stores.Graph, HangOp: "undo", HangAt: kind,
			})
			if failure := failureOf(t, err); failure.Type != ingestion.TypeIngestionFailed {
				t.Errorf("failure %+v", failure)
			}
			if n := counts(t, p.real); n != [4]int{} {
				t.Errorf("stores hold %v documents", n)
			}
		})
	}
}

// rows counts the writes in a store's table, visible or not.
func rows(t *testing.T, dir string, kind stores.Kind) (n int) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "real.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for range 50 { // the worker may be writing
		if err = db.QueryRow("SELECT count(*) FROM ingestion_" + string(kind)).Scan(&n); err == nil {
			return n
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal(err)
	return 0
}
