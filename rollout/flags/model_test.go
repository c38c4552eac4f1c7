package flags_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/open-feature/go-sdk/openfeature"

	"sluice/rollout"
	"sluice/rollout/flags"
)

// world is a flag source whose truth changes and which fails at random, and a
// reader that follows it through its lives.
type world struct {
	t      *testing.T
	rand   *rand.Rand
	file   string
	source *board
	reader *flags.Reader

	truth rollout.Reading
	sound map[string]bool // whether the flag can be read
	trail []string
}

// failures are what a source may do instead of giving a value.
func (w *world) failure(key string) answer {
	worst := []answer{
		{detail: openfeature.ProviderResolutionDetail{Reason: openfeature.DisabledReason}},
		{detail: openfeature.ProviderResolutionDetail{Reason: openfeature.DefaultReason}},
		failed(openfeature.NewGeneralResolutionError("connection refused")),
		failed(openfeature.NewParseErrorResolutionError("garbage")),
		failed(openfeature.NewFlagNotFoundResolutionError("no such flag")),
		good("100"), good(nil), {value: hang},
	}
	if key != flags.Kill {
		worst = append(worst, good(100.1), good(-1.0), good(math.NaN()), good(math.Inf(1)), good(true))
	} else {
		worst = append(worst, good(100.0), good(0.0))
	}
	return worst[w.rand.IntN(len(worst))]
}

type hangs struct{}

var hang = hangs{}

// hanging lets the answer hang take as long as the reader allows.
func hanging(b *board) *provider {
	return newProvider(func(ctx context.Context, key string) answer {
		a := b.evaluate(ctx, key)
		if a.value == hang {
			<-ctx.Done()
			return failed(openfeature.NewGeneralResolutionError("too late"))
		}
		return a
	})
}

func (w *world) edit() {
	if w.rand.IntN(2) == 0 {
		w.truth = rollout.Reading{
			Rollout: rollout.Exposure(w.rand.IntN(1_000_001)),
			Shadow:  rollout.Exposure(w.rand.IntN(1_000_001)),
			Kill:    w.rand.IntN(3) == 0,
		}
	}
	w.source.mu.Lock()
	defer w.source.mu.Unlock()
	w.source.answers[flags.Rollout] = good(w.truth.Rollout.Percent())
	w.source.answers[flags.Shadow] = good(w.truth.Shadow.Percent())
	w.source.answers[flags.Kill] = good(w.truth.Kill)
	for _, key := range flags.Keys() {
		w.sound[key] = w.rand.IntN(3) > 0
		if !w.sound[key] {
			w.source.answers[key] = w.failure(key)
		}
	}
}

// restart ends a life and begins the next one, perhaps over a damaged file or
// with a boot value, with a source that is down.
func (w *world) restart() {
	before := *w.reader.Policy()
	stop(w.t, w.reader)
	w.source.down()
	damaged := w.rand.IntN(4) == 0
	if damaged {
		if err := os.WriteFile(w.file, []byte("{"), 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
	var boot *rollout.Exposure
	if w.rand.IntN(2) == 0 {
		e := rollout.Exposure(w.rand.IntN(1_000_001))
		boot = &e
	}
	w.reader = start(w.t, flags.Config{Provider: hanging(w.source), StateFile: w.file, Boot: boot})
	after := *w.reader.Policy()
	w.note("restart damaged=%t boot=%v: %+v", damaged, boot, after)
	if after.Exposure() > before.Exposure() || (damaged && after.Exposure() > 0) {
		w.fail("the restart raised the exposure")
	}
	if after.Epoch < before.Epoch || (after.Epoch == before.Epoch && after != before) {
		w.fail("the epoch went back, or names two policies")
	}
}

func (w *world) step() {
	before, was := *w.reader.Policy(), w.truth
	w.edit()
	if w.rand.IntN(2) == 0 {
		w.reader.Status() // readers of the snapshot race with its writer
		time.Sleep(time.Duration(w.rand.IntN(5000)) * time.Millisecond)
	}
	time.Sleep(5 * time.Second)
	synctest.Wait()
	after := *w.reader.Policy()
	w.note("truth %+v sound %v: %+v", w.truth, w.sound, after)
	w.check(before, after, was)
}

func (w *world) check(before, after rollout.Policy, was rollout.Reading) {
	allowed := max(before.Exposure(), w.truth.Policy(0).Exposure(), was.Policy(0).Exposure())
	if after.Exposure() > allowed {
		w.fail("exposure %s: neither the last one nor the source ever allowed more than %s", after.Exposure(), allowed)
	}
	if w.sound[flags.Rollout] && after.Flag > w.truth.Rollout {
		w.fail("a lower percentage was read and is not in force")
	}
	if w.sound[flags.Shadow] && after.Shadow > w.truth.Shadow {
		w.fail("a lower shadow share was read and is not in force")
	}
	if w.sound[flags.Kill] && w.truth.Kill && !after.Kill {
		w.fail("a kill was read and is not in force")
	}
	if w.sound[flags.Rollout] && w.sound[flags.Shadow] && w.sound[flags.Kill] && after != *w.truth.Policy(after.Epoch) {
		w.fail("all flags can be read and are not in force")
	}
	if after.Epoch < before.Epoch || (after.Epoch == before.Epoch && after != before) {
		w.fail("the epoch went back, or names two policies")
	}
}

func (w *world) note(format string, args ...any) {
	w.trail = append(w.trail, fmt.Sprintf(format, args...))
}

func (w *world) fail(format string, args ...any) {
	w.t.Helper()
	for _, line := range w.trail[max(0, len(w.trail)-5):] {
		w.t.Log(line)
	}
	w.t.Fatalf(format, args...)
}

// No sequence of failures raises the exposure above the last one in force,
// unless the source itself allows it.
func TestNoFailureRaisesTheExposure(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, seed, "")
				for range 200 {
					w.step()
				}
			})
		})
	}
}

// Nor does any sequence of failures and restarts, with and without a boot
// value, over whole and damaged state files.
func TestNoRestartRaisesTheExposure(t *testing.T) {
	for seed := range uint64(5) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "flags.state")
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, seed, file)
				for range 60 {
					if w.rand.IntN(3) == 0 {
						w.restart()
					}
					w.step()
				}
			})
		})
	}
}

func newWorld(t *testing.T, seed uint64, file string) *world {
	w := &world{
		t: t, rand: rand.New(rand.NewPCG(seed, 1)), file: file,
		source: newBoard(10, 10, false), sound: map[string]bool{},
		truth: rollout.Reading{Rollout: 100_000, Shadow: 100_000},
	}
	w.reader = start(t, flags.Config{Provider: hanging(w.source), StateFile: file})
	return w
}
