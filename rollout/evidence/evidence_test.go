package evidence_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"sluice/rollout"
	"sluice/rollout/compare"
	"sluice/rollout/compare/certificate"
	"sluice/rollout/evidence"
	"sluice/rollout/store/notes"
)

var errCut = errors.New("cut off")

// store is a real directory whose writes can be cut off, before or after they are
// done, as the death of the process or of the database would.
type store struct {
	*notes.Dir
	mu     sync.Mutex
	writes int  // guarded by mu
	cut    int  // the write that is the first to fail; 0 for none
	blind  bool // guarded by mu; nothing can be read
	lied   int  // the write that is done and fails all the same; 0 for none
}

func (s *store) write(do func() error) error {
	s.mu.Lock()
	s.writes++
	n, cut, lied := s.writes, s.cut, s.lied
	s.mu.Unlock()
	if cut > 0 && n >= cut {
		return errCut
	}
	if err := do(); err != nil || n != lied {
		return err
	}
	return errCut
}

func (s *store) PutNote(ctx context.Context, subject, owner string, body []byte) error {
	return s.write(func() error { return s.Dir.PutNote(ctx, subject, owner, body) })
}

func (s *store) Inherit(ctx context.Context, subject string, orphan rollout.Note, owner string, body []byte) (done bool, err error) {
	err = s.write(func() error {
		done, err = s.Dir.Inherit(ctx, subject, orphan, owner, body)
		return err
	})
	return done, err
}

func (s *store) Notes(ctx context.Context, subject, self string) ([]rollout.Note, error) {
	s.mu.Lock()
	blind := s.blind
	s.mu.Unlock()
	if blind {
		return nil, errCut
	}
	return s.Dir.Notes(ctx, subject, self)
}

// set changes the store while it is in use.
func (s *store) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

type ignore struct{}

func (ignore) ShadowCompared(string, compare.Class)     {}
func (ignore) ShadowDropped(string, rollout.DropReason) {}

func openStore(t *testing.T, dir string) *store {
	t.Helper()
	d, err := notes.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return &store{Dir: d}
}

func config(t *testing.T, s *store, owner string, redact ...string) evidence.Config {
	t.Helper()
	return evidence.Config{
		By: *by(t, redact...), Notes: s, Album: s, Owner: owner,
		Keep: rollout.Keep{Count: 100, Bytes: 1 << 20}, Observer: ignore{}, Log: zap.NewNop(),
	}
}

func patterns(t *testing.T, texts ...string) (all []compare.Pattern) {
	t.Helper()
	for _, text := range texts {
		p, err := compare.ParsePattern(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

// keep runs a keeper while during does; it returns once the last notes are down.
func keep(t *testing.T, c evidence.Config, during func(*evidence.Keeper)) {
	t.Helper()
	k := evidence.New(c)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- k.Run(ctx) }()
	during(k)
	cancel()
	if err := <-ended; err != nil && !errors.Is(err, errCut) {
		t.Error(err)
	}
}

func report(t *testing.T, s *store, gates ...certificate.Gate) *evidence.Report {
	t.Helper()
	r := evidence.Reader{Notes: s, Album: s, Self: "reader", Limits: certificate.DefaultLimits()}
	got, err := r.Report(t.Context(), gates, time.Unix(1, 0))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func exchange(id, primary, shadow string) *rollout.Exchange {
	answer := func(body string) rollout.Answer {
		return rollout.Answer{Status: 200, Header: map[string][]string{"Content-Type": {"application/json"}}, Body: []byte(body)}
	}
	return &rollout.Exchange{
		Route: "r", DocID: id, ID: id, At: time.Unix(1, 0), Primary: answer(primary), PrimaryTook: 10 * time.Millisecond,
		Shadow: rollout.Run{State: rollout.RunCompleted, Answer: answer(shadow)}, ShadowTook: 12 * time.Millisecond,
	}
}

func begin(t *testing.T, k *evidence.Keeper, id string) bool {
	t.Helper()
	err := k.Begin("r", id)
	if err == nil {
		err = k.Noted(t.Context())
	}
	if err != nil && !errors.Is(err, errCut) {
		t.Error(err)
	}
	return err == nil
}

func TestCertificateTurnsGreenByTheCounts(t *testing.T) {
	s := openStore(t, t.TempDir())
	gate := certificate.Gate{Name: "suite", Answer: certificate.Yes}
	keep(t, config(t, s, "one"), func(k *evidence.Keeper) {
		for i := range 367 {
			k.Compared(exchange(fmt.Sprint(i), `{"a":1}`, `{"a":1}`))
		}
	})
	if got := report(t, s, gate).Certificate; got.State != certificate.Pending {
		t.Errorf("%s with 367 latencies, of which 368 are needed: %+v", got.State, got.Lines)
	}
	keep(t, config(t, s, "two"), func(k *evidence.Keeper) {
		k.Compared(exchange("last", `{"a":1}`, `{"a":1}`))
	})
	if got := report(t, s, gate); got.Certificate.State != certificate.Green || got.Routes["r"].Certificate.Evidence.Compared != 368 {
		t.Errorf("%s: %+v", got.Certificate.State, got.Certificate.Lines)
	}
	if got := report(t, s, certificate.Gate{Name: "suite", Answer: certificate.No}); got.Certificate.State != certificate.Red {
		t.Errorf("%s though the gate says no", got.Certificate.State)
	}
	keep(t, config(t, s, "three"), func(k *evidence.Keeper) {
		for i := range 100 {
			e := exchange(fmt.Sprint("bad", i), `{"a":1}`, `{"a":2}`)
			again := e.Shadow
			e.Again = &again
			k.Compared(e)
		}
	})
	if got := report(t, s, gate); got.Certificate.State != certificate.Red || got.Summary != "1 field, 1 cause" {
		t.Errorf("%s, %s: %+v", got.Certificate.State, got.Summary, got.Certificate.Lines)
	}
}

// A gateway dies at any of its writes. Whatever was begun before is counted or
// listed by the one that comes after, and nothing twice.
func TestEveryRunIsCountedOrListedOnce(t *testing.T) {
	for cut := 1; ; cut++ {
		s := openStore(t, t.TempDir())
		s.cut = cut
		begun, compared := 0, 0
		keep(t, config(t, s, "dead"), func(k *evidence.Keeper) {
			for i := range 6 {
				if !begin(t, k, fmt.Sprint(i)) {
					continue
				}
				begun++
				if i%2 == 0 {
					k.Compared(exchange(fmt.Sprint(i), `{}`, `{}`))
					compared++
				}
			}
		})
		over := s.writes < cut
		s.cut = 0
		keep(t, config(t, s, "next"), func(*evidence.Keeper) { waitFor(t, s, begun) })
		got := report(t, s)
		starts := got.Certificate.Evidence.Starts
		// What was counted in memory alone is listed; never both.
		if starts.Completed+starts.Listed < uint64(begun) || starts.Completed > uint64(compared) || starts.Completed+starts.Listed > 6 || starts.Running != 0 {
			t.Errorf("cut at write %d: %d begun, %d compared; %d completed, %d listed, %d running", cut, begun, compared, starts.Completed, starts.Listed, starts.Running)
		}
		if over {
			return
		}
	}
}

// waitFor waits until the runs are accounted for.
func waitFor(t *testing.T, s *store, begun int) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		starts := report(t, s).Certificate.Evidence.Starts
		if int(starts.Completed+starts.Listed) >= begun && starts.Running == 0 {
			return
		}
	}
}

// Whether an inheritance that ended in an error was stored or not, it counts once.
func TestInheritanceOfUnknownOutcome(t *testing.T) {
	for name, prepare := range map[string]func(*store){
		"stored":     func(s *store) { s.lied = s.writes + 2 }, // after the opening note
		"not stored": func(s *store) { s.cut = s.writes + 2 },
	} {
		t.Run(name, func(t *testing.T) {
			s := openStore(t, t.TempDir())
			keep(t, config(t, s, "dead"), func(k *evidence.Keeper) {
				begin(t, k, "cut")
				begin(t, k, "done")
				k.Compared(exchange("done", `{}`, `{}`))
			})
			prepare(s)
			keep(t, config(t, s, "heir"), func(k *evidence.Keeper) {
				k.Compared(exchange("mine", `{}`, `{}`))
				time.Sleep(50 * time.Millisecond)
				s.mu.Lock()
				s.cut = 0
				s.mu.Unlock()
			})
			keep(t, config(t, s, "last"), func(*evidence.Keeper) { waitFor(t, s, 3) })
			starts := report(t, s).Certificate.Evidence.Starts
			if starts.Completed != 2 || starts.Listed != 1 || starts.Dropped["restart"] != 1 {
				t.Errorf("%+v", starts)
			}
		})
	}
}

// A mirror that does nothing writes nothing.
func TestIdleKeeperWritesNothing(t *testing.T) {
	s := openStore(t, t.TempDir())
	writes := func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.writes
	}
	keep(t, config(t, s, "one"), func(k *evidence.Keeper) {
		k.Compared(exchange("a", `{}`, `{}`))
		waitFor(t, s, 1)
		before := writes()
		time.Sleep(2500 * time.Millisecond)
		if after := writes(); after != before {
			t.Errorf("%d writes while there was nothing to write", after-before)
		}
	})
}

func TestTheSameRunIsNotBegunTwice(t *testing.T) {
	s := openStore(t, t.TempDir())
	keep(t, config(t, s, "one"), func(k *evidence.Keeper) {
		begin(t, k, "a")
		if err := k.Begin("r", "a"); !errors.Is(err, rollout.ErrDuplicate) {
			t.Errorf("begun twice: %v", err)
		}
	})
}

// What nobody timed says nothing of latencies.
func TestUntimedRunsAreComparedOnly(t *testing.T) {
	s := openStore(t, t.TempDir())
	keep(t, config(t, s, "one"), func(k *evidence.Keeper) {
		timed, untimed := exchange("a", `{}`, `{}`), exchange("b", `{}`, `{}`)
		untimed.ShadowTook = 0
		k.Compared(timed)
		k.Compared(untimed)
	})
	e := report(t, s).Certificate.Evidence
	if e.Compared != 2 || e.Legacy.N != 1 || e.Shadow.N != 1 {
		t.Errorf("%+v", e)
	}
}

// A run of which nobody knows is listed; one that never was is not.
func TestUnknownRunsAreListed(t *testing.T) {
	s := openStore(t, t.TempDir())
	keep(t, config(t, s, "one"), func(k *evidence.Keeper) {
		for id, reason := range map[string]rollout.DropReason{"unknown": rollout.DropUnknown, "none": rollout.DropTemporal} {
			begin(t, k, id)
			k.Dropped("r", id, reason)
		}
	})
	if starts := report(t, s).Certificate.Evidence.Starts; starts.Listed != 1 || starts.Acknowledged != 1 || starts.Dropped["unknown"] != 1 || starts.Dropped["temporal"] != 1 {
		t.Errorf("%+v", starts)
	}
}

func TestUnfinishedRunsAreListed(t *testing.T) {
	s := openStore(t, t.TempDir())
	keep(t, config(t, s, "one"), func(k *evidence.Keeper) {
		begin(t, k, "slow")
		e := exchange("slow", `{}`, `{}`)
		e.Shadow = rollout.Run{State: rollout.RunRunning}
		k.Compared(e)
	})
	got := report(t, s)
	if len(got.Listed) != 1 || got.Listed[0].ID != "slow" || got.Listed[0].Why != evidence.WhyUnfinished || len(got.Running) != 0 {
		t.Errorf("listed %+v, running %+v", got.Listed, got.Running)
	}
}

func TestSamplesHoldNoRedactedField(t *testing.T) {
	s := openStore(t, t.TempDir())
	const secret = "s3cret"
	keep(t, config(t, s, "one", "/password", "/users/*/ssn"), func(k *evidence.Keeper) {
		k.Compared(exchange("a", `{"password":"s3cret-1","n":1,"users":[{"ssn":"s3cret","name":"Ada"}]}`,
			`{"password":"s3cret-2","n":2,"users":[{"ssn":"s3cret","name":"Ada"},{"ssn":"s3cret-4"}]}`))
		k.Compared(exchange("b", `{"users":[{"ssn":"s3cret"}]}`, `{}`))
		k.Compared(exchange("c", `s3cret`, `{"a":1}`))
		failed := exchange("d", `{}`, ``)
		failed.Shadow = rollout.Run{State: rollout.RunFailed, Failure: rollout.Failure{Type: "Boom", Message: "on s3cret", Status: 500}}
		k.Compared(failed)
	})
	r := evidence.Reader{Notes: s, Album: s, Self: "reader"}
	samples, err := r.Samples(t.Context(), 10)
	if err != nil || len(samples) != 4 {
		t.Fatalf("%d samples, %v", len(samples), err)
	}
	for _, sample := range samples {
		text := fmt.Sprintf("%s %s %s %+v", sample.Primary.Body, sample.Shadow.Body, sample.Shadow.Failure, sample.Differences)
		if strings.Contains(text, secret) {
			t.Errorf("a redacted value is in %s", text)
		}
	}
	if samples[0].Shadow.Failure != "Boom" {
		t.Errorf("the failure is %q", samples[0].Shadow.Failure)
	}
	if text := string(samples[3].Primary.Body); !strings.Contains(text, "Ada") || !strings.Contains(text, `"n":1`) {
		t.Errorf("what need not be redacted is gone: %s", text)
	}
}

func TestFewSamplesOfManyAlikeAndEachLoggedOnce(t *testing.T) {
	s := openStore(t, t.TempDir())
	c := config(t, s, "one", "/secret")
	core, logged := observer.New(zap.WarnLevel)
	c.Log = zap.New(core)
	keep(t, c, func(k *evidence.Keeper) {
		for i := range 50 {
			k.Compared(exchange(fmt.Sprint("a", i), `{"a":1}`, `{"a":2}`))
		}
		k.Compared(exchange("b", `{"b":1,"secret":"s3cret"}`, `{"b":2,"secret":"s3cret2"}`))
	})
	if n := logged.FilterMessage("the paths disagree").Len(); n != 51 {
		t.Errorf("%d of 51 mismatches are logged", n)
	}
	if text := fmt.Sprint(logged.All()); strings.Contains(text, "s3cret") {
		t.Errorf("a redacted value is logged: %s", text)
	}
	r := evidence.Reader{Notes: s, Album: s, Self: "reader"}
	samples, err := r.Samples(t.Context(), 100)
	if err != nil || len(samples) != 11 || samples[0].DocID != "b" {
		t.Errorf("%d samples, %v", len(samples), err)
	}
}
