package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A gateway that never reached its claim store is not ready, so that no rolling update
// replaces a good one with it; once it has, the store's going away takes no gateway out
// of service.
func TestReadyOnceTheStoreWasReached(t *testing.T) {
	t.Parallel()
	server, dsn := database(t)
	server.Kill()
	g := beginGateway(t, echo(t).URL, "claims.store=postgres", "claims.postgres_file="+dsn, "data="+filepath.Join(t.TempDir(), "data"))
	served(t, g.operator+"/livez")
	ready := func(status int, part string) bool {
		r, err := try("GET", g.operator+"/readyz", "")
		return err == nil && r.status == status && strings.Contains(r.body, part)
	}
	eventually(t, "/readyz says why it is not ready", func() bool {
		return ready(http.StatusServiceUnavailable, "the claim store has not been reached since this gateway started")
	})
	if passed := ask(t, http.StatusOK, "GET", g.public+"/anything", ""); passed.body != "GET /anything " {
		t.Errorf("what is no document is served whatever the store does: %+v", passed)
	}
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is ready", func() bool { return ready(http.StatusOK, "ready\n") })
	server.Kill()
	eventually(t, "it says that the store is away, and is ready", func() bool { return ready(http.StatusOK, "is away now") })
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is as before", func() bool { return ready(http.StatusOK, "ready\n") })
}

// A gateway with another, wrong, DSN takes nothing from the one that runs: neither if
// nobody is there, nor if it is refused.
func TestASuccessorThatCannotReachItsStoreTakesNothingOver(t *testing.T) {
	t.Parallel()
	_, dsn := database(t)
	text, err := os.ReadFile(dsn)
	if err != nil {
		t.Fatal(err)
	}
	nobody := write(t, "dsn", "postgres://sluice@"+freeAddress(t)+"/claims")
	nowhere := write(t, "dsn", strings.Replace(string(text), "?", "nowhere?", 1))
	s := newSeat(t)
	shared := []string{"claims.store=postgres", "claims.timeout=500ms"}
	running := s.start(t, append(shared, "claims.postgres_file="+dsn)...)
	serving(t, running)
	served(t, "http://"+s.operator+"/readyz")
	for _, wrong := range []string{nobody, nowhere} {
		failing := s.start(t, append(shared, "claims.postgres_file="+wrong)...)
		failing.exit(t, 1)
		contains(t, "stderr", failing.stderr.String(), "claims: ")
		served(t, "http://"+s.operator+"/readyz")
	}
	if log := running.stderr.String(); strings.Contains(log, `"handing over"`) {
		t.Error("the gateway that runs was asked to stop")
	}
}
