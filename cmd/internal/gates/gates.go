// Package gates asks external checks: a command, a webhook or Prometheus. What they
// say is kept where all gateways read it, so a restart forgets nothing, and one
// answer serves them all.
//
// Invariants:
//   - An error of the asking is no answer: Unknown, never No.
//   - A gate is asked again only when the newest answer of any gateway is old.
package gates

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"go.uber.org/zap"

	"sluice/configs"
	"sluice/rollout"
	"sluice/rollout/compare/certificate"
)

// subject is that of the notes.
const subject = "gates"

// MaxOutput is how much is kept of what a gate printed, in bytes: its end.
const MaxOutput = 4 << 10

// Result is one answer of a gate.
type Result struct {
	Name   string             `json:"name"`
	Answer certificate.Answer `json:"answer"`
	// Words says how it came to it: an exit code, a status, an error.
	Words string `json:"words"`
	// Output is the end of what it printed or answered.
	Output string        `json:"output,omitempty"`
	At     time.Time     `json:"at"`
	Took   time.Duration `json:"took_ns"`
}

// Notes is where gateways put down answers.
type Notes interface {
	// PutNote replaces the owner's note about the subject, durably.
	PutNote(ctx context.Context, subject, owner string, body []byte) error
	// Notes returns everybody's notes.
	Notes(ctx context.Context, subject, self string) ([]rollout.Note, error)
}

// Config configures a Runner.
type Config struct {
	Gates []configs.Gate
	Notes Notes
	Owner string
	Log   *zap.Logger
}

// Runner asks gates.
type Runner struct{ config Config }

// New returns a runner.
func New(config Config) *Runner { return &Runner{config: config} }

// Ask asks all gates once, one after the other, for who keeps no notes.
func Ask(ctx context.Context, all []configs.Gate) []certificate.Gate {
	var answers []certificate.Gate
	for _, gate := range all {
		r := answer(ctx, gate)
		answers = append(answers, certificate.Gate{Name: r.Name, Answer: r.Answer, Words: r.Words, At: r.At})
	}
	return answers
}

// lookInterval is how often is looked which gates are due.
const lookInterval = time.Second

// Run asks each gate as often as it wants to be, until ctx ends.
func (r *Runner) Run(ctx context.Context) error {
	if len(r.config.Gates) == 0 {
		return nil
	}
	ticker := time.NewTicker(lookInterval)
	defer ticker.Stop()
	for {
		if err := r.ask(ctx); err != nil && ctx.Err() == nil {
			r.config.Log.Warn("the answers of gates cannot be kept now", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// ask asks the gates that are due, one after the other, and puts down the answers.
func (r *Runner) ask(ctx context.Context) error {
	known, err := r.Results(ctx)
	if err != nil {
		return err
	}
	news := false
	for i, gate := range r.config.Gates {
		if time.Since(known[i].At) < gate.Every.Std() || ctx.Err() != nil {
			continue
		}
		known[i], news = answer(ctx, gate), true
		if known[i].Answer != certificate.Yes {
			r.config.Log.Warn("a gate does not say yes", zap.String("gate", gate.Name), zap.String("answer", string(known[i].Answer)), zap.String("words", known[i].Words))
		}
	}
	if !news || ctx.Err() != nil { // cut off, an answer is none
		return nil
	}
	body, err := json.Marshal(known)
	if err != nil {
		return err
	}
	return r.config.Notes.PutNote(ctx, subject, r.config.Owner, body)
}

// Results returns the newest answer of each gate, in the order of the configuration;
// Unknown if there is none.
func (r *Runner) Results(ctx context.Context) ([]Result, error) {
	newest := make([]Result, len(r.config.Gates))
	for i, gate := range r.config.Gates {
		newest[i] = Result{Name: gate.Name, Answer: certificate.Unknown, Words: "has not been asked yet"}
	}
	if len(newest) == 0 {
		return newest, nil
	}
	notes, err := r.config.Notes.Notes(ctx, subject, r.config.Owner)
	if err != nil {
		return nil, err
	}
	for _, note := range notes {
		var said []Result
		if json.Unmarshal(note.Body, &said) != nil {
			continue // another version's; its gates are asked again
		}
		for _, result := range said {
			i := slices.IndexFunc(newest, func(n Result) bool { return n.Name == result.Name })
			if i >= 0 && result.At.After(newest[i].At) {
				newest[i] = result
			}
		}
	}
	return newest, nil
}

// Certificate returns what a certificate needs of the answers. One that is much
// older than it may be is Unknown.
func (r *Runner) Certificate(ctx context.Context, now time.Time) ([]certificate.Gate, error) {
	results, err := r.Results(ctx)
	if err != nil {
		return nil, err
	}
	gates := make([]certificate.Gate, len(results))
	for i, result := range results {
		gates[i] = certificate.Gate{Name: result.Name, Answer: result.Answer, Words: result.Words, At: result.At}
		limit := 2*r.config.Gates[i].Every.Std() + r.config.Gates[i].Timeout.Std()
		if age := now.Sub(result.At); !result.At.IsZero() && age > limit {
			gates[i].Answer, gates[i].Words = certificate.Unknown, "its last answer is "+age.Round(time.Second).String()+" old"
		}
	}
	return gates, nil
}
