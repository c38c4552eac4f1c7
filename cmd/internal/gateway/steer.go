package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"

	"sluice/metrics"
	"sluice/rollout"
	"sluice/rollout/control/loop"
	"sluice/rollout/guard"
	"sluice/router/operator"
)

// Steer carries out an operator's act on the plan.
func (h *helm) Steer(ctx context.Context, act operator.PlanAct) error {
	err := h.loop.Steer(ctx, loop.Action(act.Action), act.Step, loop.Signed(act.Actor, act.Reason, act.At))
	if loop.Refused(err) {
		return fmt.Errorf("%w: %w", operator.ErrRefused, err)
	}
	return err
}

// Confirm counts a document that a human has found to be harmed. One that was
// corrupted is as good as lost.
func (h *helm) Confirm(ctx context.Context, harm operator.Harm) error {
	event := rollout.EventLost
	if harm.Kind == "doubled" {
		event = rollout.EventDoubled
	}
	return h.loop.Confirm(ctx, event)
}

// Decisions are read from the newest on, so many at a time.
const (
	fewPages  = 20
	mostPages = 1000
)

// limit reads how many are wanted.
func limit(query url.Values, usual, most int) (int, error) {
	text := query.Get("limit")
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, fmt.Errorf("%w limit: %q is not a number from 1 to %d", operator.ErrParameter, text, most)
	}
	return n, nil
}

func (g *Gateway) viewPlan(context.Context, url.Values) (any, error) {
	return g.helm.loop.View(g.ceilings.policy())
}

// viewPages shows what is kept of a subject, under its name.
func (g *Gateway) viewPages(subject string) operator.View {
	return operator.View{Name: subject, Parameters: []string{"limit"}, Read: func(ctx context.Context, query url.Values) (any, error) {
		n, err := limit(query, fewPages, mostPages)
		if err != nil {
			return nil, err
		}
		pages, err := g.records.Pages(ctx, subject, n)
		bodies := make([]json.RawMessage, len(pages))
		for i, page := range pages {
			bodies[i] = page.Body
		}
		return map[string]any{subject: bodies}, err
	}}
}

// steered is where the guardrails and the plan are, for metrics; nil while nothing
// is known.
func (g *Gateway) steered() *metrics.Steering {
	st := g.helm.loop.State()
	if st == nil {
		return nil
	}
	config := &g.helm.loop.Config
	s := &metrics.Steering{Step: -1, Alarm: st.Decision.Alarm != ""}
	if len(config.Plan.Steps) > 0 && st.Progress.Plan != "" {
		s.Step = st.Progress.Step
	}
	shares := st.Guard.Shares(&config.Guard, st.Guard.Second)
	for _, name := range guard.Names() {
		s.Guardrails = append(s.Guardrails, metrics.Guardrail{
			Name: name.String(), Action: config.Guard.Guardrails[name].Action.String(),
			Evidence: shares[name], Breached: st.Guard.Breached(name),
		})
	}
	return s
}
