package flags_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/open-feature/go-sdk/openfeature"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"sluice/rollout"
	"sluice/rollout/flags"
)

// answer is what a fake source says to one evaluation. A nil value is the
// caller's default.
type answer struct {
	value  any
	detail openfeature.ProviderResolutionDetail
}

// provider makes an OpenFeature provider of a function.
type provider struct {
	evaluate func(ctx context.Context, key string) answer
	events   chan openfeature.Event
}

func newProvider(evaluate func(ctx context.Context, key string) answer) *provider {
	return &provider{evaluate: evaluate, events: make(chan openfeature.Event, 8)}
}

func (p *provider) Metadata() openfeature.Metadata         { return openfeature.Metadata{Name: "fake"} }
func (p *provider) Hooks() []openfeature.Hook              { return nil }
func (p *provider) EventChannel() <-chan openfeature.Event { return p.events }

func resolve[T any](a answer, fallback T) openfeature.GenericResolutionDetail[T] {
	value, ok := a.value.(T)
	if !ok {
		value = fallback
		if a.value != nil {
			a.detail.ResolutionError = openfeature.NewTypeMismatchResolutionError("the value is of another type")
		}
	}
	return openfeature.GenericResolutionDetail[T]{Value: value, ProviderResolutionDetail: a.detail}
}

func (p *provider) BooleanEvaluation(ctx context.Context, key string, fallback bool, _ openfeature.FlattenedContext) openfeature.BoolResolutionDetail {
	return resolve(p.evaluate(ctx, key), fallback)
}

func (p *provider) FloatEvaluation(ctx context.Context, key string, fallback float64, _ openfeature.FlattenedContext) openfeature.FloatResolutionDetail {
	return resolve(p.evaluate(ctx, key), fallback)
}

func (p *provider) StringEvaluation(ctx context.Context, key, fallback string, _ openfeature.FlattenedContext) openfeature.StringResolutionDetail {
	return resolve(p.evaluate(ctx, key), fallback)
}

func (p *provider) IntEvaluation(ctx context.Context, key string, fallback int64, _ openfeature.FlattenedContext) openfeature.IntResolutionDetail {
	return resolve(p.evaluate(ctx, key), fallback)
}

func (p *provider) ObjectEvaluation(ctx context.Context, key string, fallback any, _ openfeature.FlattenedContext) openfeature.InterfaceResolutionDetail {
	return resolve(p.evaluate(ctx, key), fallback)
}

// good is a value as a healthy source gives it.
func good(value any) answer {
	return answer{value: value, detail: openfeature.ProviderResolutionDetail{Reason: openfeature.StaticReason, Variant: "v"}}
}

func failed(err openfeature.ResolutionError) answer {
	return answer{detail: openfeature.ProviderResolutionDetail{Reason: openfeature.ErrorReason, ResolutionError: err}}
}

// board is a fake source's answers by flag, changed while a reader reads.
type board struct {
	*provider
	mu      sync.Mutex
	answers map[string]answer // guarded by mu
}

// newBoard has good values for all flags.
func newBoard(percent, shadow float64, kill bool) *board {
	b := &board{answers: map[string]answer{}}
	b.edit(percent, shadow, kill)
	b.provider = newProvider(func(_ context.Context, key string) answer {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.answers[key]
	})
	return b
}

func (b *board) edit(percent, shadow float64, kill bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answers[flags.Rollout], b.answers[flags.Shadow], b.answers[flags.Kill] = good(percent), good(shadow), good(kill)
}

func (b *board) set(key string, a answer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answers[key] = a
}

// down makes every flag fail.
func (b *board) down() {
	for _, key := range flags.Keys() {
		b.set(key, failed(openfeature.NewGeneralResolutionError("connection refused")))
	}
}

// rejects counts rejections by flag and reason.
type rejects struct {
	mu    sync.Mutex
	count map[string]int // guarded by mu
}

func (r *rejects) FlagRejected(flag, reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.count == nil {
		r.count = map[string]int{}
	}
	r.count[flag+" "+reason]++
}

func (r *rejects) of(flag string, reason flags.Reason) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count[flag+" "+string(reason)]
}

func (r *rejects) kinds() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.count)
}

func newLog() (*zap.Logger, *observer.ObservedLogs) {
	core, seen := observer.New(zapcore.DebugLevel)
	return zap.New(core), seen
}

func start(t testing.TB, cfg flags.Config) *flags.Reader {
	t.Helper()
	r, err := flags.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, r) })
	return r
}

func stop(t testing.TB, r *flags.Reader) {
	t.Helper()
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

// tick lets the reader read at least once more; only in a bubble.
func tick() {
	time.Sleep(flags.DefaultPoll)
	synctest.Wait()
}

func percent(t testing.TB, p float64) rollout.Exposure {
	t.Helper()
	e, err := rollout.ParsePercent(p)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// within waits in real time until ok, which may take a busy machine a while.
func within(t testing.TB, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", limit, what)
		}
	}
}
