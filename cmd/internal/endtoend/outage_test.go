package endtoend_test

import (
	"fmt"
	"net/http"
	"testing"
)

// With Temporal gone, clients of legacy see nothing of it; the others are told
// when to come back, and nothing of theirs is lost or doubled when it is there
// again.
func TestTemporalGoneLeavesLegacyUnharmed(t *testing.T) {
	t.Parallel()
	s := assemble(t, "")
	s.work(t)
	s.rollTo(t, 50)
	s.server.Kill()
	ids := make([]string, 200)
	for i := range ids {
		ids[i] = fmt.Sprintf("gone-%d", i)
	}
	s.postAll(t, ids, func(id string, a answer) {
		if expectedPath(id, 50) == "legacy" {
			if a.status != http.StatusOK || a.path() != "legacy" {
				t.Errorf("%s: %v", id, a)
			}
			return
		}
		if a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" || a.path() != "temporal" {
			t.Errorf("%s: %v", id, a)
		}
		if kind := a.problem(t); kind != "urn:sluice:problem:temporal-unavailable" {
			t.Errorf("%s: problem %q; Temporal was never reached", id, kind)
		}
	})
	if code := s.status("http://" + s.gateway.OperatorAddress() + "/readyz"); code != http.StatusOK {
		t.Errorf("/readyz answers %d: readiness must not depend on Temporal", code)
	}
}

// A gateway that starts while Temporal is away serves legacy's clients at once
// and Temporal's when it is there.
func TestGatewayStartsWithoutTemporal(t *testing.T) {
	t.Parallel()
	s := assemble(t, "")
	s.server.Stop()
	second := s.openGateway(t)
	a, err := s.postTo(t.Context(), second.PublicAddress(), documentBody("early"))
	if err != nil || a.status != http.StatusOK || a.path() != "legacy" {
		t.Fatalf("%v, %v", a, err)
	}
	s.server.Restart(t)
	s.work(t)
	s.rollTo(t, 100)
	eventually(t, "the second gateway reaches Temporal", func() bool {
		a, err := s.postTo(t.Context(), second.PublicAddress(), documentBody("late"))
		return err == nil && a.status == http.StatusOK && a.path() == "temporal"
	})
}

func TestLegacyGoneIsSaidPlainly(t *testing.T) {
	t.Parallel()
	s := assemble(t, "", "legacy.url=http://127.0.0.1:1", "legacy.dial_timeout=500ms")
	a := s.mustPost(t, `{"doc_id":"x"}`)
	if a.status != http.StatusBadGateway || a.problem(t) != "urn:sluice:problem:legacy-unreachable" || a.header.Get("Retry-After") == "" {
		t.Errorf("%v", a)
	}
}
