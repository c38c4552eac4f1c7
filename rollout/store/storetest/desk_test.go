package storetest_test

import (
	"context"
	"slices"
	"time"

	"sluice/rollout"
)

// memoryDesk is behind the same lock as the claims.
type memoryDesk struct {
	leader string // for ever the first
	state  []byte
	plan   rollout.Exposure
	counts rollout.Counts
	pages  map[string][]rollout.Page
}

func (m memory) policy() *rollout.Policy {
	p := *m.settings.Policy
	p.Plan = min(p.Plan, m.plan)
	return &p
}

func (m memory) session() rollout.Session {
	return rollout.Session{Now: time.Now(), State: slices.Clone(m.state), Policy: *m.policy(), Brake: rollout.Brake{Exposure: rollout.All}}
}

func (m memory) Decide(_ context.Context, owner string, rule func(rollout.Session) (rollout.Ruling, error)) (led bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.leader != "" && m.leader != owner {
		return false, nil
	}
	m.leader = owner
	session := m.session()
	session.Counts = slices.Clone(m.counts)
	if err = m.put(session, rule); err == nil {
		m.counts = nil
	}
	return true, err
}

func (m memory) Amend(_ context.Context, rule func(rollout.Session) (rollout.Ruling, error)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.put(m.session(), rule)
}

func (m memory) put(session rollout.Session, rule func(rollout.Session) (rollout.Ruling, error)) error {
	ruling, err := rule(session)
	if err != nil {
		return err
	}
	m.state, m.plan = ruling.State, ruling.Plan
	for _, p := range ruling.Pages {
		m.pages[p.Subject] = append(m.pages[p.Subject], p)
	}
	return nil
}

func (m memory) Look(context.Context) (rollout.Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	session := m.session()
	session.Counts = slices.Clone(m.counts)
	return session, nil
}

func (m memory) Pages(_ context.Context, subject string, limit int) ([]rollout.Page, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	newest := slices.Clone(m.pages[subject])
	slices.Reverse(newest)
	return newest[:min(limit, len(newest))], nil
}
