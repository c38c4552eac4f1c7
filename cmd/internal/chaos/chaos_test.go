package chaos_test

import (
	"os"
	"testing"
	"time"

	"sluice/cmd/internal/chaos"
)

// start runs a small chaos. `make chaos` runs a large one.
func start(t *testing.T, config chaos.Config) *chaos.Result {
	t.Helper()
	var err error
	if config.Root, config.Devstack, err = chaos.Locate(); err != nil {
		t.Fatal(err)
	}
	config.Gateways, config.Store, config.Parallel, config.Most = 1, chaos.StoreEmbedded, 40, 100
	config.Limit, config.Dir, config.Output = 4*time.Minute, t.TempDir(), t.Output()
	result, err := chaos.Run(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(result)
	return result
}

func TestNothingIsLostOrDoubled(t *testing.T) {
	t.Parallel()
	r := start(t, chaos.Config{Seed: 11, Intents: 2000, Kills: 26})
	if r.Broken() {
		r.Timelines(os.Stderr, 5)
		t.Error("a promise was broken")
	}
	if sum := r.Table.Legacy + r.Table.Temporal + r.Table.InFlight + r.Table.DeadLetter; r.Table.Accepted != sum {
		t.Errorf("%d accepted, %d found", r.Table.Accepted, sum)
	}
	if len(r.Books) == 0 || r.Books[0].Balance().Accepted < 200 {
		t.Errorf("the gateways' books are %+v", r.Books)
	}
	if r.Table.Legacy < 200 || r.Table.Temporal < 150 || r.Table.NoAnswer < 50 {
		t.Error("it was too calm to prove anything")
	}
}

// The harness must see what the protection prevents.
func TestDoublesAreSeenWithoutProtection(t *testing.T) {
	for _, without := range []string{chaos.WithoutClaims, chaos.WithoutFence} {
		t.Run(without, func(t *testing.T) {
			t.Parallel()
			if r := start(t, chaos.Config{Seed: 11, Intents: 700, Kills: 16, Without: without}); r.Doubles() == 0 {
				t.Errorf("without %s nothing was doubled", without)
			}
		})
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	good := chaos.Config{Intents: 1, Gateways: 1, Parallel: 1, Most: 100, Store: chaos.StoreEmbedded}
	for what, spoil := range map[string]func(*chaos.Config){
		"store":    func(c *chaos.Config) { c.Store = "paper" },
		"gateways": func(c *chaos.Config) { c.Gateways = 2 },
		"intents":  func(c *chaos.Config) { c.Intents = 0 },
		"without":  func(c *chaos.Config) { c.Without = "sense" },
		"most":     func(c *chaos.Config) { c.Most = 0 },
	} {
		bad := good
		spoil(&bad)
		if _, err := chaos.Run(t.Context(), bad); err == nil {
			t.Errorf("%s: it was taken", what)
		}
	}
}
