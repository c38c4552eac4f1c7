package gates

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"sluice/configs"
	"sluice/metrics/promtest"
	"sluice/rollout/compare/certificate"
	"sluice/rollout/store/notes"
)

func command(name string, args ...string) configs.Gate {
	return configs.Gate{Name: name, Command: args, Every: configs.Duration(time.Minute), Timeout: configs.Duration(20 * time.Second)}
}

func check(t *testing.T, gate configs.Gate, want certificate.Answer, words, output string) {
	t.Helper()
	got := answer(t.Context(), gate)
	if got.Answer != want || !strings.Contains(got.Words, words) || !strings.Contains(got.Output, output) {
		t.Errorf("%s says %s, %q, %q; want %s, %q, %q", gate.Name, got.Answer, got.Words, got.Output, want, words, output)
	}
}

func TestCommand(t *testing.T) {
	check(t, command("passes", "sh", "-c", "echo fine"), certificate.Yes, "exit 0", "fine")
	check(t, command("fails", "sh", "-c", "echo 3 tests failed >&2; exit 3"), certificate.No, "exit 3", "3 tests failed")
	check(t, command("missing", "/no/such/command"), certificate.Unknown, "no such file", "")
	check(t, command("killed", "sh", "-c", "kill -9 $$"), certificate.Unknown, "killed", "")
	slow := command("slow", "sh", "-c", "echo begun; sleep 60")
	slow.Timeout = configs.Duration(300 * time.Millisecond)
	check(t, slow, certificate.Unknown, "did not answer within 300ms", "begun")
	long := answer(t.Context(), command("long", "sh", "-c", "yes é | head -c 100001; echo the end"))
	if len(long.Output) > MaxOutput+len("…") || !strings.HasSuffix(long.Output, "the end\n") {
		t.Errorf("%d bytes are kept, the last %q", len(long.Output), long.Output[len(long.Output)-10:])
	}
}

func TestWebhook(t *testing.T) {
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			t.Errorf("it was asked by %s", r.Method)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte("because"))
	}))
	gate := configs.Gate{Name: "hook", Webhook: server.URL, Timeout: configs.Duration(20 * time.Second)}
	for code, want := range map[int]certificate.Answer{204: certificate.Yes, 409: certificate.No, 500: certificate.Unknown, 302: certificate.Unknown} {
		status = code
		output := "because"
		if code == 204 {
			output = ""
		}
		check(t, gate, want, "status", output)
	}
	server.Close()
	check(t, gate, certificate.Unknown, "refused", "")
}

func TestPrometheus(t *testing.T) {
	server := promtest.Start(t, promtest.Config{})
	for query, want := range map[string]certificate.Answer{
		"vector(1)": certificate.Yes, "scalar(vector(2))": certificate.Yes, "vector(0)": certificate.No, "vector(NaN)": certificate.No,
		"no_such_metric": certificate.Unknown, "sum(": certificate.Unknown, "vector(1)[5m:1m]": certificate.Unknown,
	} {
		gate := configs.Gate{Name: query, Prometheus: configs.PrometheusQuery{URL: server.URL, Query: query}, Timeout: configs.Duration(20 * time.Second)}
		if got := answer(t.Context(), gate); got.Answer != want {
			t.Errorf("%s says %s, %s; want %s", query, got.Answer, got.Words, want)
		}
	}
}

// One answer serves all gateways, and those that come later.
func TestAnswersAreShared(t *testing.T) {
	store, err := notes.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	asked := filepath.Join(t.TempDir(), "asked")
	gate := command("once", "sh", "-c", "echo asked >> "+asked)
	runner := func(owner string) *Runner {
		return New(Config{Gates: []configs.Gate{gate}, Notes: store, Owner: owner, Log: zap.NewNop()})
	}
	before, err := runner("one").Certificate(t.Context(), time.Now())
	if err != nil || before[0].Answer != certificate.Unknown {
		t.Errorf("before it was asked: %+v, %v", before, err)
	}
	for _, owner := range []string{"one", "one", "two"} {
		if err := runner(owner).ask(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := os.ReadFile(asked); err != nil || string(text) != "asked\n" {
		t.Errorf("it was asked: %q, %v", text, err)
	}
	now, err := runner("three").Certificate(t.Context(), time.Now())
	if err != nil || now[0].Answer != certificate.Yes {
		t.Errorf("%+v, %v", now, err)
	}
	late, err := runner("three").Certificate(t.Context(), time.Now().Add(time.Hour))
	if err != nil || late[0].Answer != certificate.Unknown {
		t.Errorf("an hour later: %+v, %v", late, err)
	}
}

// A gateway that stops in the middle puts down no answer.
func TestCutOffIsNoAnswer(t *testing.T) {
	store, err := notes.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r := New(Config{Gates: []configs.Gate{command("slow", "sleep", "60")}, Notes: store, Owner: "one", Log: zap.NewNop()})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := r.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if all, err := store.Notes(t.Context(), subject, "one"); err != nil || len(all) > 0 {
		t.Errorf("%v, %v", all, err)
	}
}
