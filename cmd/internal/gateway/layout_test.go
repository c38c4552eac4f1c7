package gateway

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"

	"sluice/configs"
	"sluice/rollout"
	"sluice/rollout/store/layout"
)

// opened opens a gateway on the data directory, without a Temporal and a legacy.
func opened(t *testing.T, data string) (*Gateway, error) {
	t.Helper()
	flags := filepath.Join(t.TempDir(), "flags.json")
	if err := os.WriteFile(flags, []byte(`{"temporal-rollout-percentage": 30}`), 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := configs.Load("../../../configs/gateway.yaml", "listen.public=127.0.0.1:0", "listen.operator=127.0.0.1:0",
		"data="+data, "legacy.url=http://127.0.0.1:1", "temporal.address=127.0.0.1:1", "rollout.flags.file="+flags, "legacy.idempotency=gateway", "claims.horizon=500000h")
	if err != nil {
		t.Fatal(err)
	}
	return Open(t.Context(), config, Options{Version: "test", Log: zap.NewNop(), Lookup: func(string) (string, bool) { return "", false }})
}

// A directory that the build of commit 584e96a made, with some of everything, is read
// to the last file, and shut to that build afterwards.
func TestFirstReleasedDirectoryIsBroughtForward(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	if err := os.CopyFS(data, os.DirFS("testdata/layout1")); err != nil {
		t.Fatal(err)
	}
	for round := range 2 {
		g, err := opened(t, data)
		if err != nil {
			t.Fatal(err)
		}
		for doc, path := range map[string]rollout.Path{"open-temporal": rollout.Temporal, "open-legacy": rollout.Legacy} {
			h, err := g.claims.Get(t.Context(), doc)
			if err != nil || len(h.Claims) != 1 || h.Claims[0].Path != path || !h.Claims[0].Open() {
				t.Errorf("%s: %+v, %v", doc, h, err)
			}
		}
		if p := g.ceilings.policy(); p.Brake != 250_000 || p.Flag != 300_000 {
			t.Errorf("in force is %+v", p)
		}
		if entry, err := os.ReadFile(filepath.Join(data, "audit.jsonl")); err != nil || !strings.Contains(string(entry), "of layout 1") {
			t.Errorf("%s, %v", entry, err)
		}
		answer, found, err := g.answers.KeptAnswer(t.Context(), rollout.AnswerKey{DocID: "done-legacy", Intent: "k", Life: 1})
		if err != nil || !found || string(answer.Body) != "kept" {
			t.Errorf("%+v, %v, %v", answer, found, err)
		}
		if pages, err := g.records.Pages(t.Context(), "reports", 5); err != nil || len(pages) != 1 {
			t.Errorf("%v, %v", pages, err)
		}
		if h, err := g.claims.Get(t.Context(), "sent-without-a-claim"); err != nil || len(h.Claims) != round || g.away.Unrecorded() != 1 {
			t.Errorf("round %d: %+v, %v, %d on the list; its claim is made when the gateway leaves", round, h, err, g.away.Unrecorded())
		}
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	}
	text, err := os.ReadFile(filepath.Join(data, "claims", "state"))
	if err != nil {
		t.Fatal(err)
	}
	was := struct {
		Salt uint32 `json:"salt"`
	}{}
	if err := json.Unmarshal(text, &was); err == nil {
		t.Errorf("the build of before reads %s", text)
	}
}

// A build that is too old says so before it has bound a port or taken anything over.
func TestADirectoryOfANewerBuildIsLeftAlone(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	if err := os.WriteFile(filepath.Join(data, "layout.json"), []byte(`{"layout":99,"least":99}`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := opened(t, data)
	if !errors.Is(err, layout.ErrNewer) {
		t.Errorf("got %v", err)
	}
	if found, err := os.ReadDir(data); err != nil || len(found) != 1 {
		t.Errorf("it left %v, %v", found, err)
	}
}
