package endtoend_test

import (
	"fmt"
	"net/http"
	"testing"
)

// With Temporal gone every document is served by legacy, on proof that Temporal
// did not get it, and nobody waits for a timeout.
func TestTemporalGoneHarmsNobody(t *testing.T) {
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
		if a.status != http.StatusOK || a.path() != "legacy" {
			t.Errorf("%s: %v", id, a)
		}
		reason := a.header.Get("Rollout-Reason")
		if want := expectedPath(id, 50) == "temporal"; want != (reason == "fallback" || reason == "breaker") {
			t.Errorf("%s: reason %s", id, reason)
		}
	})
	if stored, err := s.stores["document"].Count(t.Context()); err != nil || stored != len(ids) {
		t.Errorf("%d documents are stored, %v", stored, err)
	}
	if code := s.status("http://" + s.gateway.OperatorAddress() + "/readyz"); code != http.StatusOK {
		t.Errorf("/readyz answers %d: readiness must not depend on Temporal", code)
	}
	s.server.Restart(t)
	i := 0
	eventually(t, "the breaker closes and new documents go to Temporal again", func() bool {
		i++
		id := fmt.Sprintf("back-%d", i)
		a := s.mustPost(t, string(documentBody(id)), "Prefer", "wait=0")
		return expectedPath(id, 50) == "temporal" && a.path() == "temporal" && a.status == http.StatusAccepted
	})
}

// A gateway that starts while Temporal is away serves legacy's clients at once
// and Temporal's when it is there.
func TestGatewayStartsWithoutTemporal(t *testing.T) {
	t.Parallel()
	s := assemble(t, "")
	s.server.Stop()
	second := s.openGateway(t, "data="+s.dir+"/second")
	a, err := s.postTo(t.Context(), second.PublicAddress(), documentBody("early"))
	if err != nil || a.status != http.StatusOK || a.path() != "legacy" {
		t.Fatalf("%v, %v", a, err)
	}
	s.server.Restart(t)
	s.work(t)
	s.rollTo(t, 100)
	n := 0
	eventually(t, "the second gateway reaches Temporal", func() bool {
		n++ // a repeat would go where it went before
		a, err := s.postTo(t.Context(), second.PublicAddress(), documentBody(fmt.Sprint("late-", n)))
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
