package embedded_test

import (
	"testing"

	"sluice/rollout"
	"sluice/rollout/store/embedded"
	"sluice/rollout/store/storetest"
)

// open opens the directory with small segments, so that a test has many of them.
func open(t *testing.T, c embedded.Config) *embedded.Store {
	t.Helper()
	s, err := embedded.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) {
	for name, base := range map[string]embedded.Config{
		"in memory":      {},
		"small segments": {SegmentBytes: 1 << 10},
		"sync":           {Sync: true, SegmentBytes: 64 << 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, func(t *testing.T) storetest.Subject {
				dir := t.TempDir()
				return storetest.Subject{Open: func(t *testing.T, settings storetest.Settings) storetest.Store {
					c := base
					c.Dir, c.Horizon = dir, settings.Horizon
					c.Policy = func() *rollout.Policy { return settings.Policy }
					return open(t, c)
				}}
			})
		})
	}
}
