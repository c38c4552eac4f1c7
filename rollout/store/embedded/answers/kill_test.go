package answers_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"sluice/rollout"
	"sluice/rollout/store/embedded/answers"
)

// childDir makes the test binary the process that is killed: it keeps answers
// there from childFrom on, and says so after each.
const (
	childDir  = "SLUICE_TEST_ANSWERS"
	childFrom = "SLUICE_TEST_FROM"
)

func TestMain(m *testing.M) {
	dir, child := os.LookupEnv(childDir)
	if !child {
		os.Exit(m.Run())
	}
	s, err := answers.Open(answers.Config{Dir: dir, Keep: time.Hour})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	from, _ := strconv.Atoi(os.Getenv(childFrom))
	for i, began := from, time.Now(); time.Since(began) < time.Minute; i++ { // if nobody kills it
		if err := s.KeepAnswer(context.Background(), key(i), &rollout.Answer{Status: 200, Body: []byte(body(i))}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(i)
	}
}

// A process that is killed loses no answer that was stored.
func TestKilledUnderLoad(t *testing.T) {
	dir := t.TempDir()
	var told []int
	for round := range 5 {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), childDir+"="+dir, fmt.Sprintf("%s=%d", childFrom, round*1_000_000))
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		first := len(told)
		for lines.Scan() {
			i, err := strconv.Atoi(lines.Text())
			if err == nil && i >= round*1_000_000 { // the last line may be cut
				told = append(told, i)
			}
			if len(told) == first+500 {
				_ = cmd.Process.Kill()
			}
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("the child ended by itself")
		}
	}
	s := open(t, answers.Config{Dir: dir, Keep: time.Hour})
	for _, i := range told {
		if !kept(t, s, i) {
			t.Fatalf("answer %d of %d is lost", i, len(told))
		}
	}
}
