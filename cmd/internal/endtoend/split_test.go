package endtoend_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// 2,000 documents, each on the path that the formula says, while an operator
// edits one number in a file: nothing is restarted, no request fails, and every
// document is stored once, whatever path took it.
func TestDocumentsFollowTheFlag(t *testing.T) {
	t.Parallel()
	s := assemble(t, "")
	s.work(t)
	const each = 500
	posted := 0
	for _, percent := range []float64{0, 10, 50, 100} {
		traffic := s.startTraffic(t, fmt.Sprintf("during-%v", percent))
		s.rollTo(t, percent)
		ids := make([]string, each)
		for i := range ids {
			ids[i] = fmt.Sprintf("doc-%v-%d", percent, i)
		}
		s.postAll(t, ids, func(id string, a answer) {
			if a.status != http.StatusOK || a.path() != expectedPath(id, percent) {
				t.Errorf("at %v %%: %s: %v; want it on %s", percent, id, a, expectedPath(id, percent))
			}
		})
		posted += each + traffic.stop(t)
	}
	if stored, err := s.stores["document"].Count(t.Context()); err != nil || stored != posted {
		t.Errorf("%d documents are stored, %v; %d were acknowledged", stored, err, posted)
	}
}

// postAll posts the documents, several at a time.
func (s *stack) postAll(t *testing.T, ids []string, check func(id string, a answer)) {
	t.Helper()
	const workers = 8
	var group sync.WaitGroup
	for share := range slices.Chunk(ids, (len(ids)+workers-1)/workers) {
		group.Go(func() {
			for _, id := range share {
				a, err := s.post(t.Context(), documentBody(id))
				if err != nil {
					t.Errorf("%s: %v", id, err)
					continue
				}
				check(id, a)
			}
		})
	}
	group.Wait()
}

// traffic posts documents one after the other until it is stopped.
type traffic struct {
	cancel context.CancelFunc
	done   chan struct{}
	posted atomic.Int64
	failed atomic.Pointer[answer]
}

func (s *stack) startTraffic(t *testing.T, prefix string) *traffic {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	tr := &traffic{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(tr.done)
		for i := 0; ctx.Err() == nil; i++ {
			a, err := s.post(context.WithoutCancel(ctx), documentBody(fmt.Sprintf("%s-%d", prefix, i)))
			if err != nil || a.status != http.StatusOK {
				a.body = fmt.Appendf(a.body, " (%v)", err)
				tr.failed.Store(&a)
				return
			}
			tr.posted.Add(1)
		}
	}()
	return tr
}

// stop returns how many documents were posted; it fails the test if one failed.
func (tr *traffic) stop(t *testing.T) int {
	t.Helper()
	tr.cancel()
	<-tr.done
	if failed := tr.failed.Load(); failed != nil {
		t.Errorf("a request failed while the flag was edited: %v", *failed)
	}
	return int(tr.posted.Load())
}

func TestKillFlagSendsEverythingToLegacy(t *testing.T) {
	t.Parallel()
	s := assemble(t, "")
	s.work(t)
	s.rollTo(t, 100)
	if a := s.mustPost(t, `{"doc_id":"k"}`); a.path() != "temporal" || a.status != http.StatusOK {
		t.Fatalf("before: %v", a)
	}
	s.setFlags(t, 100, true)
	n := 0
	eventually(t, "the kill flag is in force", func() bool {
		n++
		a := s.mustPost(t, fmt.Sprintf(`{"doc_id":"k%d"}`, n))
		return a.path() == "legacy" && a.header.Get("Rollout-Reason") == "kill"
	})
}
