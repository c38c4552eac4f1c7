package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/zap"

	"sluice/rollout"
	"sluice/rollout/audit"
	"sluice/router/operator"
)

// helm is a control loop that only remembers what it was told, and refuses approvals.
type helm struct{ told []string }

func (h *helm) Steer(_ context.Context, act operator.PlanAct) error {
	if act.Action == operator.PlanApprove {
		return fmt.Errorf("%w: no approval is due: the step's other gates come first", operator.ErrRefused)
	}
	h.told = append(h.told, strings.TrimSpace(act.Action+" "+act.Step)+": "+act.Reason)
	return nil
}

func (h *helm) Confirm(_ context.Context, harm operator.Harm) error {
	h.told = append(h.told, harm.Kind+" "+harm.DocID+": "+harm.Reason)
	return nil
}

// known is what is on record: one document, which Temporal ran.
type known struct{ operator.Records }

func (known) Get(_ context.Context, docID string) (*rollout.Holding, error) {
	return &rollout.Holding{DocID: docID}, nil
}

func (known) Ran(_ context.Context, docID string) (bool, error) { return docID == "doc-7", nil }

// seen answers with a file of testdata, as the gateway would.
func seen(name string) operator.View {
	return operator.View{Name: name, Parameters: []string{"limit"}, Read: func(context.Context, url.Values) (any, error) {
		text, err := os.ReadFile(filepath.Join("testdata", name+".json"))
		return json.RawMessage(text), err
	}}
}

// openHelm serves the operator API of a gateway with a plan.
func openHelm(t *testing.T) (*helm, string) {
	t.Helper()
	log, err := audit.Open(filepath.Join(t.TempDir(), "audit.jsonl"), zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	h := &helm{}
	server := httptest.NewServer(operator.New(operator.Config{Plan: h, Records: known{}, Runs: known{}, Audit: log, Log: zap.NewNop(),
		Views: []operator.View{seen("plan"), seen("certificates"), seen("trips"), seen("ticks")}}))
	t.Cleanup(server.Close)
	return h, server.URL
}

// say runs the program against the gateway, and returns all that it printed.
func say(t *testing.T, code int, url string, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if got := run(t.Context(), append(args, "-operator", url), &stdout, &stderr); got != code {
		t.Errorf("%v: %d instead of %d", args, got, code)
	}
	return stdout.String() + stderr.String()
}

func TestThePlanIsSteeredFromTheCommandLine(t *testing.T) {
	t.Parallel()
	h, url := openHelm(t)
	for _, test := range []struct {
		args string
		code int
		said string
	}{
		{"hold -reason late", 0, "the plan is held; sluice rollout resume lets it go on; entry 1 of the audit\n"},
		{"resume -reason early", 0, "the plan goes on; entry 2 of the audit\n"},
		{"rearm -reason mended", 0, "the plan may rise again; entry 3"},
		{"force 5% -reason demo", 0, "the step is forced; entry 4"},
		{"confirm doubled doc-7 -reason twice", 0, "the harm is counted; entry 5"},
		{"confirm lost doc-8 -reason gone", 1, "neither the claims nor Temporal know a document of that name"},
		{"confirm -reason gone lost doc-8 -json -force", 0, `{"audit":6}`},
		{"approve 5% -reason good", 1, "refused: no approval is due: the step's other gates come first\nhint: sluice rollout plan shows"},
		{"hold", 2, "-reason: say why"},
		{"force 5%", 2, "-reason: say why"},
		{"force -reason x", 2, "STEP is missing"},
		{"approve 5% 6% -reason x", 2, `unexpected argument "6%"`},
		{"confirm gone doc-7 -reason x", 2, `"gone" is not one of lost, doubled, corrupted`},
		{"confirm lost -reason x", 2, "DOC_ID is missing"},
		{"trip nine", 2, "is not a number from 1 (the newest)"},
		{"trip 1 2", 2, `unexpected argument "2"`},
		{"trip 3", 1, "there are 2 reports of automatic rollbacks\nhint: "},
		{"ticks -limit 0", 2, "-limit: 0 is not above 0"},
		{"force -h", 0, "above what the plan has earned, without its proofs. That goes on the\nrecord"},
		{"confirm -h", 0, "One is enough"},
	} {
		if said := say(t, test.code, url, append([]string{"rollout"}, strings.Fields(test.args)...)...); !strings.Contains(said, test.said) {
			t.Errorf("%s: %s", test.args, said)
		}
	}
	if want := []string{"hold: late", "resume: early", "rearm: mended", "force 5%: demo", "doubled doc-7: twice", "lost doc-8: gone"}; !slices.Equal(h.told, want) {
		t.Errorf("the loop was told %q", h.told)
	}
}

// What is printed is what stands in testdata, and -json is what the gateway answered.
func TestThePlanIsPrinted(t *testing.T) {
	t.Parallel()
	_, url := openHelm(t)
	for name, args := range map[string][]string{
		"plan": {"plan"}, "certificates": {"certificates"}, "ticks": {"ticks"}, "trips": {"trip"}, "trips2": {"trip", "2"},
	} {
		got := say(t, 0, url, append([]string{"rollout"}, args...)...)
		file := filepath.Join("testdata", name+".txt")
		if os.Getenv("SLUICE_PRINT_ANEW") != "" {
			if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil || got != string(want) {
			t.Errorf("%v: %v: it prints\n%s\nnot\n%s", args, err, got, want)
		}
		lines := say(t, 0, url, append([]string{"rollout"}, append(args, "-json")...)...)
		for line := range strings.Lines(lines) {
			if !json.Valid([]byte(line)) {
				t.Errorf("%v -json: %s", args, line)
			}
		}
		if !strings.Contains(lines, `"at":"`) {
			t.Errorf("%v -json: %s", args, lines)
		}
	}
}
