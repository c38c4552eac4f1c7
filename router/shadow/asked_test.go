package shadow_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sluice/rollout"
	"sluice/router/shadow"
)

// Documents that come before anybody knows whether the workers can, wait for that, within
// the same bounds; and no longer than mirroring is wanted.
func TestDocumentsWaitForTheWorkersWord(t *testing.T) {
	type word func(s *stage, policy *atomic.Pointer[rollout.Policy])
	for name, row := range map[string]struct {
		word   word
		reason rollout.DropReason // of all that waited; of none if it is DropQueue
	}{
		"they can":     {func(s *stage, _ *atomic.Pointer[rollout.Policy]) { s.asked.Store(true) }, rollout.DropQueue},
		"nobody asks":  {func(*stage, *atomic.Pointer[rollout.Policy]) {}, rollout.DropRestart},
		"it is killed": {func(_ *stage, p *atomic.Pointer[rollout.Policy]) { p.Store(&rollout.Policy{Kill: true}) }, rollout.DropKilled},
		"it is over":   {func(_ *stage, p *atomic.Pointer[rollout.Policy]) { p.Store(&rollout.Policy{}) }, rollout.DropKilled},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage()
				s.asked.Store(false)
				var policy atomic.Pointer[rollout.Policy]
				policy.Store(&s.policy)
				m := s.mirror(rollout.None, func(c *shadow.Config) { c.Policy = policy.Load })
				waiting := 0
				runs(t, m, func() {
					offerMany(m, "doc-", 10)
					time.Sleep(time.Minute)
					synctest.Wait()
					waiting = 10 - s.dropped[rollout.DropQueue]
					if waiting < 3 || waiting == 10 || len(s.compared) != 0 || len(s.dropped) != 1 {
						t.Errorf("before their word: %d wait, %d are compared, %v dropped", waiting, len(s.compared), s.dropped)
					}
					row.word(s, &policy)
					time.Sleep(time.Second)
				})
				if row.reason == rollout.DropQueue {
					if len(s.compared) != waiting || len(s.dropped) != 1 {
						t.Errorf("%d compared, %v dropped", len(s.compared), s.dropped)
					}
				} else if s.dropped[row.reason] != waiting || len(s.compared) != 0 {
					t.Errorf("%d compared, %v dropped", len(s.compared), s.dropped)
				}
			})
		})
	}
}
