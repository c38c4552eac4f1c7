package promtest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Config says what a Prometheus scrapes and computes.
type Config struct {
	// Targets are host:port addresses with a /metrics page, by job.
	Targets map[string]string
	// Rules are the files of recording and alert rules to load.
	Rules []string
	// Interval is how often it scrapes and evaluates rules; 0 for one second.
	Interval time.Duration
	// NativeHistograms switches them on; Prometheus 2.42 then drops the classic
	// buckets of a dual histogram.
	NativeHistograms bool
}

// Server is a running Prometheus.
type Server struct {
	// URL is its address, such as http://127.0.0.1:40123.
	URL string
}

// patience bounds the waits for Prometheus to listen and to be ready; again is
// the pause between two looks.
const (
	patience = 30 * time.Second
	again    = 100 * time.Millisecond
)

// Start runs a Prometheus until the test ends. It fails the test if Prometheus
// does not start.
func Start(t testing.TB, c Config) *Server {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(config, c.yaml(t), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{
		"--config.file=" + config,
		"--storage.tsdb.path=" + filepath.Join(dir, "data"),
		"--web.listen-address=127.0.0.1:0",
	}
	if c.NativeHistograms {
		args = append(args, "--enable-feature=native-histograms")
	}
	cmd := exec.Command(binary(t, "prometheus"), args...) // stopped below, not by a context: it flushes first
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address, drained := follow(log)
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // fails only if it is gone already
		<-drained
		_ = cmd.Wait() // its exit status says nothing that a query has not
	})
	s := &Server{}
	select {
	case got := <-address:
		if !strings.HasPrefix(got, "127.0.0.1:") {
			t.Fatalf("prometheus did not start:\n%s", got)
		}
		s.URL = "http://" + got
	case <-time.After(patience):
		t.Fatalf("prometheus was not listening after %s", patience)
	}
	s.awaitReady(t)
	return s
}

// awaitReady waits until queries are answered: the port is open before the
// storage is.
func (s *Server) awaitReady(t testing.TB) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(again) {
		res, err := http.Get(s.URL + "/-/ready")
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("prometheus was not ready after %s: %v", patience, err)
		}
	}
}

// follow reads the log to its end. It sends the address that Prometheus listens
// on, or else the log, once; drained is closed at the end.
func follow(log io.Reader) (address <-chan string, drained <-chan struct{}) {
	listening := regexp.MustCompile(`msg="Listening on" address=(\S+)`)
	found, done := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(done)
		var seen strings.Builder
		sent := false
		for lines := bufio.NewScanner(log); lines.Scan(); {
			if match := listening.FindStringSubmatch(lines.Text()); match != nil && !sent {
				found <- match[1]
				sent = true
			}
			if !sent {
				fmt.Fprintln(&seen, lines.Text())
			}
		}
		if !sent {
			found <- seen.String()
		}
		_, _ = io.Copy(io.Discard, log) // a line too long for the scanner must not block the writer
	}()
	return found, done
}

// yaml returns the configuration file: JSON, which is YAML.
func (c Config) yaml(t testing.TB) []byte {
	t.Helper()
	interval := c.Interval
	if interval == 0 {
		interval = time.Second
	}
	every := fmt.Sprintf("%dms", interval.Milliseconds())
	rules := []string{}
	for _, file := range c.Rules {
		path, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		rules = append(rules, path)
	}
	jobs := []any{}
	for job, target := range c.Targets {
		jobs = append(jobs, map[string]any{
			"job_name":       job,
			"static_configs": []any{map[string]any{"targets": []string{target}}},
		})
	}
	text, err := json.Marshal(map[string]any{
		"global":         map[string]any{"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
		"rule_files":     rules,
		"scrape_configs": jobs,
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}
