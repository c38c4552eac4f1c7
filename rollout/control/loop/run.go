package loop

import (
	"bytes"
	"context"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"sluice/rollout"
	"sluice/rollout/control"
)

// Desk is where the state is kept, and where what was counted comes together.
type Desk interface {
	// Decide calls rule, if owner leads or can now lead, with all that was counted
	// since the last decision, and puts the ruling on record, all at once. An error of
	// rule is returned as it is, and nothing is stored; after any other nobody knows.
	Decide(ctx context.Context, owner string, rule func(rollout.Session) (rollout.Ruling, error)) (led bool, err error)
	// Amend is the same for an operator's act: from any gateway, and without counts.
	Amend(ctx context.Context, rule func(rollout.Session) (rollout.Ruling, error)) error
	// Look returns what the next Decide would be told.
	Look(ctx context.Context) (rollout.Session, error)
}

// Surroundings are what is around a loop. Its methods are called by one goroutine.
type Surroundings interface {
	// Facts returns what is known now; it waits for nothing.
	Facts() Facts
	// Failed returns the last documents of all gateways that failed. It is asked only
	// before a rollback.
	Failed(ctx context.Context) []Document
	// Lower brings a brake into force on this gateway, before the ruling is on record.
	Lower(brake rollout.Brake)
	// Ruled is told of each decision that is on record.
	Ruled(decision *control.Decision)
}

// Settings are what a Loop is made from. All are needed.
type Settings struct {
	Config Config
	Desk   Desk
	Around Surroundings
	Owner  string
	// Timeout bounds one use of the desk.
	Timeout time.Duration
	Log     *zap.Logger
}

const (
	// peekInterval is how often the leader looks whether a limit is crossed: a
	// rollback does not wait for the end of the second.
	peekInterval = 200 * time.Millisecond
	// decideInterval is how often it decides. The others look as often whether they
	// are to lead.
	decideInterval = time.Second
)

// Loop runs the rulings of one gateway, and knows the last of all gateways'.
type Loop struct {
	Settings
	known   atomic.Pointer[known]
	changed chan struct{} // holds one word, that the plan or the brake has changed
	leads   bool          // owned by Run
	away    bool          // owned by Run; the desk failed the last time
}

type known struct {
	session rollout.Session
	state   *State
	at      time.Time // when this gateway came to know it
}

// New returns a loop that knows nothing yet.
func New(settings Settings) *Loop {
	return &Loop{Settings: settings, changed: make(chan struct{}, 1)}
}

// Learn reads what is on record. Until it has succeeded once nothing is known.
func (l *Loop) Learn(ctx context.Context) error {
	_, err := l.look(ctx)
	return err
}

func (l *Loop) look(ctx context.Context) (*rollout.Session, error) {
	ctx, cancel := context.WithTimeout(ctx, l.Timeout)
	defer cancel()
	session, err := l.Desk.Look(ctx)
	if err != nil {
		return nil, err
	}
	return &session, l.know(session)
}

// know keeps what was read. A state that is the same as before is not parsed again.
func (l *Loop) know(session rollout.Session) error {
	var st *State
	if k := l.known.Load(); k != nil && bytes.Equal(k.session.State, session.State) {
		st = k.state
	} else {
		var err error
		if st, err = Parse(session.State); err != nil {
			return err
		}
	}
	l.known.Store(&known{session: session, state: st, at: time.Now()})
	return nil
}

// Changed has a word after a ruling has changed the plan's ceiling or the brake.
func (l *Loop) Changed() <-chan struct{} { return l.changed }

// Run decides whenever this gateway leads, until ctx ends.
func (l *Loop) Run(ctx context.Context) error {
	ticker := time.NewTicker(peekInterval)
	defer ticker.Stop()
	var last time.Time
	for {
		due := time.Since(last) >= decideInterval-peekInterval/2
		if due || l.leads {
			if due {
				last = time.Now()
			}
			l.told(ctx, l.step(ctx, due))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// told logs the first of several failures.
func (l *Loop) told(ctx context.Context, err error) {
	if err != nil && !l.away && ctx.Err() == nil {
		l.Log.Warn("nothing can be decided now: no exposure rises, and nothing is rolled back by itself", zap.Error(err))
	}
	if err == nil && l.away {
		l.Log.Info("it can be decided again")
	}
	l.away = err != nil
}

// step looks, and decides if that is due or a limit is crossed.
func (l *Loop) step(ctx context.Context, due bool) error {
	session, err := l.look(ctx)
	if err != nil {
		return err
	}
	facts := l.facts()
	if state := l.State(); l.leads && (len(session.Counts) > 0 || len(state.Harms) > 0) {
		crossed, err := l.Config.Crossed(state, session, &facts)
		if err != nil {
			return err
		}
		if crossed {
			due, facts.Documents = true, l.Around.Failed(ctx)
		}
	}
	if !due {
		return nil
	}
	return l.decide(ctx, &facts)
}

func (l *Loop) facts() Facts {
	facts := l.Around.Facts()
	facts.Owner = l.Owner
	return facts
}

// decide makes a ruling, if this gateway leads.
func (l *Loop) decide(ctx context.Context, facts *Facts) error {
	ctx, cancel := context.WithTimeout(ctx, l.Timeout)
	defer cancel()
	var verdict *Verdict
	var session rollout.Session
	led, err := l.Desk.Decide(ctx, l.Owner, func(s rollout.Session) (rollout.Ruling, error) {
		st, err := l.parsed(s.State)
		if err != nil {
			return rollout.Ruling{}, err
		}
		v, err := l.Config.ruleOn(st, s, facts)
		if err != nil {
			return rollout.Ruling{}, err
		}
		if v.Ruling.Brake != nil {
			l.Around.Lower(*v.Ruling.Brake)
		}
		verdict, session = v, s
		return v.Ruling, nil
	})
	if l.leads != led && err == nil {
		l.Log.Info("who decides has changed", zap.Bool("this_gateway", led))
		l.leads = led
	}
	if err != nil || !led {
		return err
	}
	session.State, session.Counts = verdict.Ruling.State, nil
	l.known.Store(&known{session: session, state: verdict.State, at: time.Now()})
	l.announce(verdict, &session)
	return nil
}

// parsed returns a state to go on from. As a rule it is the one that is known.
func (l *Loop) parsed(text []byte) (*State, error) {
	if k := l.known.Load(); k != nil && bytes.Equal(k.session.State, text) {
		return k.state.clone(), nil
	}
	return Parse(text)
}

// announce tells of a ruling that is on record.
func (l *Loop) announce(v *Verdict, s *rollout.Session) {
	d := &v.Decision
	fields := []zap.Field{zap.String("step", d.Step), zap.String("reason", d.Reason), zap.Stringer("plan", v.Ruling.Plan)}
	switch {
	case d.Action == control.Rollback:
		l.Log.Error("rolled back: everything new goes to legacy until an operator releases the brake", append(fields, zap.String("hint", "sluice rollout trip"))...)
	case d.Action == control.Advance:
		l.Log.Info("the plan advances", fields...)
	}
	if v.Ruling.Brake != nil || v.Ruling.Plan != s.Policy.Plan {
		l.nudge()
	}
	l.Around.Ruled(d)
}

func (l *Loop) nudge() {
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// Steer carries out an operator's act on the plan; see Config.Steer.
func (l *Loop) Steer(ctx context.Context, action Action, step string, act control.Act) error {
	return l.amend(ctx, func(s rollout.Session) (rollout.Ruling, error) { return l.Config.Steer(s, action, step, act) })
}

// Confirm counts a document that a human has found to be harmed.
func (l *Loop) Confirm(ctx context.Context, event rollout.Event) error {
	return l.amend(ctx, func(s rollout.Session) (rollout.Ruling, error) { return l.Config.Confirm(s, event) })
}

func (l *Loop) amend(ctx context.Context, rule func(rollout.Session) (rollout.Ruling, error)) error {
	ctx, cancel := context.WithTimeout(ctx, l.Timeout)
	defer cancel()
	if err := l.Desk.Amend(ctx, rule); err != nil {
		return err
	}
	_, _ = l.look(ctx) // it is done; Run looks again within a second
	l.nudge()
	return nil
}

// Ceiling returns what the plan allows by what is known; known is false while
// nothing is on record, and it is then the first step's.
func (l *Loop) Ceiling() (ceiling rollout.Exposure, known bool) {
	k := l.known.Load()
	if k == nil || len(k.session.State) == 0 {
		return (&control.Progress{}).Ceiling(&l.Config.Plan), false
	}
	return k.state.Progress.Ceiling(&l.Config.Plan), true
}

// Thresholds returns the latencies above which a document of Temporal is slow.
func (l *Loop) Thresholds() rollout.Thresholds {
	if k := l.known.Load(); k != nil {
		return k.state.Thresholds
	}
	return rollout.Thresholds{}
}

// State returns what is on record; nil while nothing is known. It is not to be
// changed.
func (l *Loop) State() *State {
	if k := l.known.Load(); k != nil {
		return k.state
	}
	return nil
}

// silence is how old the last decision is when nobody is taken to decide any more.
const silence = 10 * time.Second

// View shows how the plan stands under the policy in force, as far as this gateway
// knows. It has no leader if nothing was decided for a while, or if that cannot be
// known.
func (l *Loop) View(p *rollout.Policy) (*View, error) {
	k := l.known.Load()
	if k == nil {
		return l.Config.View(nil, p)
	}
	v, err := l.Config.View(k.session.State, p)
	if err == nil && k.session.Now.Sub(k.state.At)+time.Since(k.at) > silence {
		v.Leader = ""
	}
	return v, err
}
