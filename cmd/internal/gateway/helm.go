package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"sluice/cmd/internal/gates"
	"sluice/cmd/internal/steering"
	"sluice/rollout"
	"sluice/rollout/compare/certificate"
	"sluice/rollout/control"
	"sluice/rollout/control/loop"
)

// desk is a store in which one gateway decides for all.
type desk interface {
	loop.Desk
	// Pages returns the newest pages of a subject, the newest first.
	Pages(ctx context.Context, subject string, limit int) ([]rollout.Page, error)
}

// helm is the gateway's part in the control loop, and what it knows for it.
type helm struct {
	gateway *Gateway
	loop    *loop.Loop

	mu    sync.Mutex
	facts loop.Facts // guarded by mu; what takes time to find out
}

// factsInterval is how often is found out what takes time.
const factsInterval = 2 * time.Second

func (g *Gateway) newHelm() error {
	h := &helm{gateway: g}
	guardrails, err := steering.Guardrails(g.config.Guardrails)
	if err != nil {
		return err
	}
	plan, err := steering.Plan(g.config.Plan)
	if err != nil {
		return err
	}
	h.loop = loop.New(loop.Settings{
		Config: loop.Config{Guard: guardrails, Plan: plan, Apart: g.brake.store == nil}, Desk: g.records, Around: h, Owner: g.name,
		Timeout: g.config.Claims.Timeout.Std(), Log: g.options.Log.Named("rollout"),
	})
	g.helm = h
	return nil
}

// learn reads what was decided before. With a store that is away nothing is known:
// the plan allows what its first step does.
func (h *helm) learn(ctx context.Context) {
	if err := h.loop.Learn(ctx); err != nil {
		h.gateway.options.Log.Warn("it cannot be read how far the plan is: its first step is in force until it can", zap.Error(err))
	}
}

// run decides, and finds out what is needed for it.
func (h *helm) run(ctx context.Context) error {
	var both sync.WaitGroup
	both.Go(func() { h.find(ctx) })
	both.Go(func() { h.tell(ctx) })
	err := h.loop.Run(ctx)
	both.Wait()
	return err
}

// Facts returns what is known now.
func (h *helm) Facts() loop.Facts {
	own := h.gateway.flags.Policy()
	h.mu.Lock()
	defer h.mu.Unlock()
	facts := h.facts
	facts.Flag, facts.Kill = own.Flag, own.Kill
	return facts
}

// Failed returns the last documents that failed, on all gateways.
func (h *helm) Failed(ctx context.Context) []loop.Document {
	if last, news := h.gateway.failed.note(); news {
		h.gateway.put(ctx, subjectFailed, last)
	}
	notes, err := h.gateway.board.Notes(ctx, subjectFailed, h.gateway.name)
	if err != nil {
		last, _ := h.gateway.failed.note()
		return last
	}
	return merged(notes)
}

// Lower brings an automatic rollback into force here. Where gateways share a store
// it is in force with the ruling.
func (h *helm) Lower(brake rollout.Brake) {
	b := h.gateway.brake
	if b.store != nil {
		return
	}
	if err := b.file.Set(brake); err != nil {
		b.log.Error("the brake is in force and cannot be kept on disk", zap.Error(err))
	}
}

// Ruled counts a decision.
func (h *helm) Ruled(d *control.Decision) {
	h.gateway.metrics.PlanDecision(d.Action.String())
	if d.Action == control.Rollback && d.Breach != nil {
		h.gateway.metrics.RolledBack(d.Breach.Guardrail.String())
	}
}

// find finds out, again and again, what the mirrors found, what gates say, which
// worker versions are in use, and from which latency on Temporal is slow.
func (h *helm) find(ctx context.Context) {
	again := time.NewTicker(factsInterval)
	defer again.Stop()
	var last time.Time
	for {
		h.findOnce(ctx, &last)
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		}
	}
}

func (h *helm) findOnce(ctx context.Context, last *time.Time) {
	ctx, cancel := context.WithTimeout(ctx, h.gateway.config.Claims.Timeout.Std())
	defer cancel()
	h.mu.Lock()
	facts := h.facts // what cannot be found out now stays as it was
	h.mu.Unlock()
	facts.Builds = h.builds()
	results, err := h.gateway.shadow.gates.Results(ctx)
	if err == nil {
		facts.Gates = gateAnswers(results)
	}
	comparisons, failed := h.comparisons(ctx)
	if failed == nil {
		facts.Comparisons = comparisons
	}
	if err = errors.Join(err, failed); err != nil {
		h.gateway.options.Log.Debug("the evidence of the mirrors or the gates cannot be read now", zap.Error(err))
	}
	interval := latenciesInterval
	if h.loop.Thresholds() == (rollout.Thresholds{}) {
		interval = firstLatencies
	}
	if time.Since(*last) >= interval {
		*last = time.Now()
		if notes, err := h.gateway.share(ctx, subjectLatencies, h.gateway.latencies.note()); err == nil {
			if limits, enough := thresholds(notes); enough {
				facts.Thresholds = limits
			}
		}
		last, _ := h.gateway.failed.note()
		_, _ = h.gateway.share(ctx, subjectFailed, last) // once more, to take over what others left
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.facts = facts
}

// comparisons counts what all gateways' mirrors compared.
func (h *helm) comparisons(ctx context.Context) (loop.Comparisons, error) {
	now := time.Now().UTC()
	compared, mismatched, err := h.gateway.shadow.reader.Totals(ctx)
	if err != nil {
		return loop.Comparisons{}, fmt.Errorf("the mirrors' evidence: %w", err)
	}
	return loop.Comparisons{At: now, Compared: compared, Mismatched: mismatched}, nil
}

// builds lists the worker versions in use, one for each deployment.
func (h *helm) builds() (all []loop.Build) {
	seen := map[loop.Build]bool{}
	for _, queue := range h.gateway.workers.TaskQueues() {
		v := h.gateway.workers.Serving(queue)
		b := loop.Build{Deployment: v.Deployment, Current: v.Current, RampPercent: v.RampPercent}
		if v.RampPercent > 0 {
			if b.Ramping = v.Ramping; b.Ramping == "" {
				b.Ramping = "unversioned"
			}
		}
		if b != (loop.Build{}) && !seen[b] {
			seen[b] = true
			all = append(all, b)
		}
	}
	return all
}

// gateAnswers are the gates', as the control loop takes them.
func gateAnswers(results []gates.Result) map[string]control.Answer {
	all := map[string]control.Answer{}
	for _, r := range results {
		if r.At.IsZero() {
			continue // it was not asked yet
		}
		a := control.Answer{At: r.At, Passed: r.Answer == certificate.Yes, Detail: r.Words}
		if r.Answer == certificate.Unknown {
			a.Err = r.Words
		}
		all[r.Name] = a
	}
	return all
}

// tell puts down, now and then, which documents failed here.
func (h *helm) tell(ctx context.Context) {
	again := time.NewTicker(failedInterval)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		}
		if last, news := h.gateway.failed.note(); news {
			h.gateway.put(ctx, subjectFailed, last)
		}
	}
}
