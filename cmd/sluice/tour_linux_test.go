package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/rollout"
)

// tour is the README's: what the steps have in common, and the commands of each.
type tour struct {
	text   string
	common string
	steps  []string
}

func readTour(t *testing.T) (tr tour) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "\n## A first tour")
	tr.text, _, _ = strings.Cut(after, "\n## ")
	begins := regexp.MustCompile(`^[0-9]+\. `)
	for line := range strings.SplitSeq(tr.text, "\n") {
		switch n := len(tr.steps) - 1; {
		case begins.MatchString(line):
			tr.steps = append(tr.steps, "")
		case n < 0 && strings.HasPrefix(line, "    "):
			tr.common += strings.TrimSpace(line) + "\n"
		case n >= 0 && strings.HasPrefix(line, "       "):
			tr.steps[n] += strings.TrimSpace(line) + "\n"
		}
	}
	return tr
}

// Each document of the tour stands where the tour says.
func TestTourKnowsWhereItsDocumentsStand(t *testing.T) {
	t.Parallel()
	tr, splitter := readTour(t), rollout.NewSplitter("temporal-rollout/v1")
	named := map[string]bool{}
	for _, found := range regexp.MustCompile("`(doc-[0-9]+)`\\s+at\\s+([0-9.]+) %").FindAllStringSubmatch(tr.text, -1) {
		named[found[1]] = true
		percent, err := strconv.ParseFloat(found[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := int(splitter.Bucket(found[1])), int(percent*10_000+0.5); got != want {
			t.Errorf("%s stands at %d, the tour says %d", found[1], got, want)
		}
	}
	for _, id := range regexp.MustCompile(`doc-[0-9]+`).FindAllString(strings.Join(tr.steps, ""), -1) {
		if !named[id] {
			t.Errorf("the tour does not say where %s stands", id)
		}
	}
}

// tourPatience is how often a step may be taken until it shows what it says: on a busy
// machine guardrails roll back, and Temporal is back sooner or later.
const tourPatience = 10

// The README's commands, run as they stand there but for ports and processes, show
// what the README says, from a first `make run` on, whose Temporal is still built.
func TestTourShowsWhatItSays(t *testing.T) {
	t.Parallel()
	tr, s := readTour(t), newStack(t)
	release := s.later(t)
	directory := s.stageTour(t)
	s.up(t)
	s.take(t, tr, 1, directory, `Rollout-Path: legacy\s+Rollout-Reason: fallback`)
	release()
	s.says(t, "Temporal has joined at ")
	for i, shows := range []string{
		`Rollout-Path: temporal`,
		`Rollout-Bucket: 362837\s+Rollout-Path: legacy.*Rollout-Bucket: 362837\s+Rollout-Path: temporal`,
		`202 Accepted.*\nLocation: /.*200 OK.*Rollout-Path: legacy`,
		`"status":"completed"`,
		`Rollout-Path: legacy\s+Rollout-Reason: fallback`,
		`Rollout-Path: legacy\s+Rollout-Reason: brake.*brake +0 %, set to 0 % by .*: tour.*Rollout-Path: temporal`,
		`HTTP/1.1 500 .*Rollout-Path: temporal.*HTTP/1.1 200 .*Rollout-Path: legacy.*brake +0 %, set to 0 % by sluice.*rolled back from 50 % to 0 %`,
		`rollout_flag_rejects_total\{flag="temporal-rollout-percentage",reason="[a-z-]+"\} [1-9]`,
	} {
		s.take(t, tr, i+1, directory, shows)
	}
	if len(tr.steps) != 8 {
		t.Errorf("the tour has %d steps, of which 8 were taken", len(tr.steps))
	}
}

// stageTour makes the directory in which the commands find what they name.
func (s *stack) stageTour(t *testing.T) (directory string) {
	t.Helper()
	s.token, directory = "", t.TempDir()
	flags, err := os.ReadFile(s.flags)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s.flags = filepath.Join(directory, "configs", "flags.json")
	for path, text := range map[string]string{
		s.flags: string(flags),
		filepath.Join(directory, "bin", "sluice"): fmt.Sprintf("#!/bin/sh\nexec env %s=yes '%s' \"$@\" -operator http://%s\n", asSluice, self, s.operator),
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return directory
}

// take takes a step of the tour until it shows what it is to show.
func (s *stack) take(t *testing.T, tr tour, step int, directory, shows string) {
	t.Helper()
	commands := strings.NewReplacer(
		"127.0.0.1:8080", s.public, "127.0.0.1:8081", s.operator, "127.0.0.1:8082", s.worker,
		// Only this stack's programs, of which sluice is the test's binary.
		"pkill ", fmt.Sprintf("pkill -P %d ", s.cmd.Process.Pid), "'sluice worker'", "' worker -config'",
	).Replace(tr.common + tr.steps[step-1])
	wanted := regexp.MustCompile("(?s)" + shows)
	for try := 1; ; try++ {
		began := time.Now()
		cmd := exec.Command("bash", "-c", commands)
		cmd.Dir, cmd.Env = directory, ownEnvironment()
		output, err := cmd.CombinedOutput()
		t.Logf("step %d took %v", step, time.Since(began).Round(time.Millisecond))
		if wanted.Match(output) {
			return
		}
		if try == tourPatience {
			t.Fatalf("step %d does not show %s: %v\n%s\n%s", step, shows, err, commands, output)
		}
	}
}
