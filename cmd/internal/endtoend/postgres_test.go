package endtoend_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/rollout/store/pgtest"
)

// onPostgres is a stack whose gateways share a real PostgreSQL.
func onPostgres(t testing.TB, settings ...string) (*stack, *pgtest.Server) {
	t.Helper()
	dir, err := os.MkdirTemp("", "claims") // the test's own is closed to PostgreSQL's user
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	server, err := pgtest.Start(dir, "fsync=off")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	file := filepath.Join(t.TempDir(), "dsn")
	if err := os.WriteFile(file, []byte(server.Database(t)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return assemble(t, "", append(settings, "claims.store=postgres", "claims.postgres_file="+file, "claims.lease=3s")...), server
}

// A retry on another replica yields the same run and the same answer.
func TestRetryOnAnotherGatewayIsTheSameRun(t *testing.T) {
	t.Parallel()
	s, _ := onPostgres(t)
	s.work(t)
	second := s.openGateway(t, "data="+s.dir+"/second")
	s.rollTo(t, 100)
	first := s.mustPost(t, `{"doc_id":"a","text":"Ada"}`)
	again, err := s.postTo(t.Context(), second.PublicAddress(), []byte(`{"doc_id":"a","text":"Ada"}`))
	if err != nil || first.path() != "temporal" || again.path() != "temporal" || again.header.Get("Rollout-Replayed") != "true" || string(again.body) != string(first.body) {
		t.Errorf("%v and then %v, %v", first, again, err)
	}
	eventually(t, "both gateways follow a rollback", func() bool {
		s.setFlags(t, 0, false)
		for _, address := range []string{s.gateway.OperatorAddress(), second.OperatorAddress()} {
			if !strings.Contains(string(get(t, s.client, "http://"+address+"/metrics").body), `rollout_exposure_ratio{ceiling="effective"} 0`+"\n") {
				return false
			}
		}
		return true
	})
}
