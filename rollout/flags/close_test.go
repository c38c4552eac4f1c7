package flags_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/open-feature/go-sdk/openfeature"

	"sluice/rollout/flags"
)

// stateful adds the SDK's life cycle to a provider.
type stateful struct {
	*provider
	init     func() error
	shutdown func()
}

func (s *stateful) Init(openfeature.EvaluationContext) error { return s.init() }
func (s *stateful) Shutdown()                                { s.shutdown() }

func healthy() error { return nil }

func TestCloseShutsTheProviderDownOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		count := 0
		r := start(t, flags.Config{Provider: &stateful{newBoard(5, 0, false).provider, healthy, func() { count++ }}})
		stop(t, r)
		stop(t, r)
		if count != 1 {
			t.Errorf("shut down %d times", count)
		}
		if r.Policy().Flag != percent(t, 5) {
			t.Error("the last policy is gone")
		}
	})
}

func TestCloseIsBoundedIfTheProviderIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		r, err := flags.New(t.Context(), flags.Config{
			Provider: &stateful{newBoard(5, 0, false).provider, healthy, func() { <-release }},
		})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := r.Close(); err == nil {
			t.Error("Close says that all is well")
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("Close took %s", took)
		}
	})
}

func TestProviderThatNeverStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release, seen := make(chan struct{}), &rejects{}
		began := time.Now()
		r := start(t, flags.Config{
			Provider: &stateful{newBoard(5, 0, false).provider, func() error { <-release; return nil }, func() {}},
			Observer: seen,
		})
		if took := time.Since(began); took != flags.DefaultDeadline {
			t.Errorf("New took %s, want %s", took, flags.DefaultDeadline)
		}
		if seen.of(flags.Rollout, flags.ReasonNotReady) != 1 || r.Policy().Flag != 0 {
			t.Errorf("rejects %v, policy %+v", seen.count, r.Policy())
		}
		close(release)
		synctest.Wait()
		if r.Policy().Flag != percent(t, 5) {
			t.Errorf("after the start: %+v", r.Policy())
		}
	})
}

func TestProviderThatFailsToStartIsStillAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, flags.Config{
			Provider: &stateful{newBoard(5, 0, false).provider, func() error { return context.DeadlineExceeded }, func() {}},
		})
		if r.Policy().Flag != percent(t, 5) {
			t.Errorf("policy %+v", r.Policy())
		}
	})
}

// The provider blocks in one flag's evaluation and does not heed its deadline.
func TestEvaluationThatNeverReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release, running := make(chan struct{}), make(chan struct{}, 100)
		source, seen := newBoard(40, 0, false), &rejects{}
		answers := source.evaluate
		blocked := newProvider(func(ctx context.Context, key string) answer {
			if key == flags.Shadow {
				running <- struct{}{}
				<-release
			}
			return answers(ctx, key)
		})
		r := start(t, flags.Config{Provider: blocked, Observer: seen})
		for range 10 {
			tick()
		}
		if got := len(running); got != 1 {
			t.Errorf("%d evaluations hang, want 1", got)
		}
		if got := seen.of(flags.Shadow, flags.ReasonTimeout); got < 10 || seen.kinds() != 1 {
			t.Errorf("rejects %v", seen.count)
		}
		source.edit(2, 0, false)
		tick()
		if got := r.Policy().Flag; got != percent(t, 2) {
			t.Errorf("the other flags stand still: %s", got)
		}
		source.edit(1, 77, false) // the late answer is read from here, but thrown away
		close(release)
		synctest.Wait()
		if got := r.Policy().Shadow; got != 0 {
			t.Errorf("a late answer counts: %s", got)
		}
		tick()
		if got := r.Policy().Shadow; got != percent(t, 77) {
			t.Errorf("shadow %s after the provider came back, want 77%%", got)
		}
	})
}

func TestProviderThatHeedsItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := &rejects{}
		began := time.Now()
		r := start(t, flags.Config{Observer: seen, Provider: newProvider(func(ctx context.Context, _ string) answer {
			<-ctx.Done()
			return failed(openfeature.NewGeneralResolutionError(ctx.Err().Error()))
		})})
		if took := time.Since(began); took != 3*flags.DefaultDeadline {
			t.Errorf("New took %s", took)
		}
		for _, key := range flags.Keys() {
			if seen.of(key, flags.ReasonTimeout) != 1 {
				t.Errorf("rejects %v, want a timeout of each", seen.count)
			}
		}
		began = time.Now()
		stop(t, r)
		if took := time.Since(began); took > 0 {
			t.Errorf("Close waited %s for a reading", took)
		}
	})
}

func TestNewEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		seen := &rejects{}
		slow := newBoard(5, 0, false)
		answers := slow.evaluate
		began := time.Now()
		r, err := flags.New(ctx, flags.Config{Observer: seen, Provider: newProvider(func(ctx context.Context, key string) answer {
			time.Sleep(50 * time.Millisecond)
			return answers(ctx, key)
		})})
		if err != nil {
			t.Fatal(err)
		}
		defer time.Sleep(time.Second) // the provider does not heed the end
		defer stop(t, r)
		if took := time.Since(began); took != 100*time.Millisecond || seen.kinds() != 0 || r.Policy().Flag != 0 {
			t.Errorf("New took %s, rejects %v, policy %+v", took, seen.count, r.Policy())
		}
		tick()
		tick()
		if r.Policy().Flag != percent(t, 5) {
			t.Errorf("the reader ended with the context of New: %+v", r.Policy())
		}
	})
}

func TestProviderThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := &rejects{}
		r := start(t, flags.Config{Observer: seen, Provider: newProvider(func(context.Context, string) answer { panic("boom") })})
		if seen.of(flags.Kill, flags.ReasonUnavailable) == 0 || statusOf(t, r, flags.Kill).Text != "the provider panicked: boom" {
			t.Errorf("rejects %v, status %+v", seen.count, statusOf(t, r, flags.Kill))
		}
	})
}
