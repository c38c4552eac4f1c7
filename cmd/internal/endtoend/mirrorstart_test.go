package endtoend_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// Documents that come as soon as mirroring is wanted wait for the workers' word: all are
// compared, and none is dropped because nobody had asked yet. They are gathered for a moment
// only, which is less than asking takes.
func TestMirroringBeginsWithTheFlag(t *testing.T) {
	t.Parallel()
	s := assemble(t, "", "shadow.gather=10ms")
	s.work(t)
	s.setShadow(t, 100)
	eventually(t, "mirroring is wanted", func() bool { return strings.Contains(s.metrics(t), "rollout_shadow_ratio 1\n") })
	const documents = 40
	for i := range documents {
		if a := s.mustPost(t, string(documentBody(fmt.Sprint("at-once-", i)))); a.status != http.StatusOK || a.path() != "legacy" {
			t.Fatalf("%v", a)
		}
	}
	eventually(t, "the fate of all is known", func() bool { return accounted(s.shadow(t)) >= documents })
	starts := s.shadow(t).Certificate.Evidence.Starts
	if starts.Completed != documents || len(starts.Dropped) > 0 {
		t.Errorf("%d of %d are compared; dropped: %v", starts.Completed, documents, starts.Dropped)
	}
}
