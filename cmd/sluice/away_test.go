package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"sluice/rollout/store/pgtest"
)

// slowLegacy answers, but for documents that say "slow", which it keeps until the
// test ends.
func slowLegacy(t *testing.T) (url string, kept chan struct{}) {
	t.Helper()
	kept = make(chan struct{}, 16)
	ended := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.Contains(string(body), "slow") {
			kept <- struct{}{}
			<-ended
		}
		_, _ = w.Write(body)
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(ended) })
	return server.URL, kept
}

// database starts a PostgreSQL and returns a file with its DSN.
func database(t *testing.T) (server *pgtest.Server, file string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "claims") // the test's own is closed to PostgreSQL's user
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if server, err = pgtest.Start(dir, "fsync=off"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	return server, write(t, "dsn", server.Database(t))
}

// keyed posts a version of doc-123, whose bucket is 362837, with a key.
func keyed(t *testing.T, g door, want int, key, text string) reply {
	t.Helper()
	return ask(t, want, "POST", g.public+"/v1/documents", `{"doc_id":"doc-123","text":"`+text+`"}`, "Idempotency-Key", key)
}

func (g door) reads(t *testing.T, metric, value string) {
	t.Helper()
	eventually(t, metric+" "+value, func() bool {
		return strings.Contains(ask(t, http.StatusOK, "GET", g.operator+"/metrics", "").body, metric+" "+value+"\n")
	})
}

// A gateway that is killed while the database is away has sent documents without a
// claim. The next one on its data directory sends nothing before the database is
// back, then makes their claims, and only then the percentage passes what it was.
func TestKilledWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	legacy, kept := slowLegacy(t)
	server, dsn := database(t)
	settings := []string{
		"claims.store=postgres", "claims.postgres_file=" + dsn, "claims.lease=3s",
		"data=" + filepath.Join(t.TempDir(), "data"), "legacy.answer_timeout=2s",
	}
	g := startGateway(t, legacy, settings...)
	g.reads(t, "rollout_away_floor_ratio", "0.1")
	server.Kill()
	if got := keyed(t, g, http.StatusOK, "ended", "Ada"); got.header.Get("Rollout-Reason") != "store-away" {
		t.Errorf("%+v", got)
	}
	lost := make(chan struct{})
	go func() {
		defer close(lost)
		_, _ = try("POST", g.public+"/v1/documents", `{"doc_id":"doc-123","text":"slow"}`, "Idempotency-Key", "lost")
	}()
	<-kept
	g.signal(t, syscall.SIGKILL)
	<-g.done
	<-lost

	g = beginGateway(t, legacy, settings...)
	served(t, g.operator+"/livez")
	g.reads(t, "rollout_away_unrecorded", "2")
	keyed(t, g, http.StatusServiceUnavailable, "another", "Ada") // its mark is not known
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	g.reads(t, "rollout_away_unrecorded", "0")
	for _, key := range []string{"ended", "lost"} {
		if got := keyed(t, g, http.StatusOK, key, "Babbage"); got.header.Get("Rollout-Reason") != "claim" {
			t.Errorf("%s has no claim: %+v", key, got)
		}
	}
	if got := keyed(t, g, http.StatusOK, "ended", "Ada"); got.header.Get("Rollout-Reason") != "claim" || got.header.Get("Rollout-Path") != "legacy" {
		t.Errorf("a retry: %+v", got)
	}
	turn(t, g.flags, "full")
	g.reads(t, `rollout_exposure_ratio{ceiling="effective"}`, "1")
	g.reads(t, `rollout_claims_settled_total{path="legacy",route="documents",state="lost"}`, "1")
	g.signal(t, syscall.SIGTERM)
	<-g.done
	if text, err := os.ReadFile(strings.TrimPrefix(settings[3], "data=") + "/away.log"); err != nil || strings.Contains(string(text), "doc-123") {
		t.Errorf("the list still holds %s, %v", text, err)
	}
}
