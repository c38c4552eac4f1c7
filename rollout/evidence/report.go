package evidence

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"sluice/rollout/compare"
	"sluice/rollout/compare/cause"
	"sluice/rollout/compare/certificate"
	"sluice/rollout/compare/noise"
)

// Report is what all gateways' evidence says.
type Report struct {
	// Certificate is of all routes together, and as good as the worst of theirs.
	Certificate certificate.Certificate `json:"certificate"`
	Routes      map[string]RouteReport  `json:"routes"`
	// Summary is "14 fields, 3 causes".
	Summary string       `json:"summary"`
	Causes  cause.Causes `json:"causes"`
	// Running are the shadow runs under way, Listed those that did not complete, the
	// newest at the end.
	Running []Listed `json:"running,omitempty"`
	Listed  []Listed `json:"listed,omitempty"`
	// Samples are those of a share; gateways' are in the album.
	Samples []Sample `json:"samples,omitempty"`
}

// RouteReport is what the evidence says of one route.
type RouteReport struct {
	Certificate certificate.Certificate `json:"certificate"`
	Fields      []noise.Field           `json:"fields"`
	// IdleRules are rules that have matched nothing yet.
	IdleRules []string `json:"idle_rules,omitempty"`
}

// Reader reads the evidence of all gateways.
type Reader struct {
	Notes Notes
	Album Album
	// Self is the reading gateway.
	Self   string
	Rules  []compare.Rule
	Marks  []compare.Pattern
	Limits certificate.Limits
}

// Samples returns the newest comparisons that differ, the newest first.
func (r *Reader) Samples(ctx context.Context, limit int) ([]Sample, error) {
	texts, err := r.Album.Samples(ctx, subjectSamples, limit)
	if err != nil {
		return nil, err
	}
	samples := make([]Sample, len(texts))
	for i, text := range texts {
		if err := json.Unmarshal(text, &samples[i]); err != nil {
			return nil, fmt.Errorf("a sample cannot be read: %w", err)
		}
	}
	return samples, nil
}

// Report sums the evidence up. gates are what external checks say.
func (r *Reader) Report(ctx context.Context, gates []certificate.Gate, now time.Time) (*Report, error) {
	sum, running, err := r.sum(ctx)
	if err != nil {
		return nil, err
	}
	return r.report(sum, running, gates, now), nil
}

func (r *Reader) report(sum *page, running map[string]run, gates []certificate.Gate, now time.Time) *Report {
	report := &Report{Routes: map[string]RouteReport{}, Listed: sum.Listed, Samples: sum.samples(), Causes: cause.Causes{}}
	for _, id := range slices.Sorted(maps.Keys(running)) {
		report.Running = append(report.Running, Listed{ID: id, Route: running[id].Route, Why: "running", At: running[id].Since})
	}
	whole, legacy, shadow := certificate.Evidence{Gates: gates}, latencies{}, latencies{}
	states := []certificate.State{}
	for _, name := range slices.Sorted(maps.Keys(sum.Books)) {
		route, e := r.route(sum, name, running, gates, now)
		report.Routes[name] = route
		states = append(states, route.Certificate.State)
		verdicts := noise.Report{Fields: route.Fields}
		report.Causes = report.Causes.Join(cause.Group(name, &sum.Tally.Route(name).AB, verdicts.Counts))
		whole = together(whole, e)
		legacy.merge(sum.Books[name].Legacy)
		shadow.merge(sum.Books[name].Shadow)
	}
	whole.Legacy, whole.Shadow = legacy.p99(r.Limits.Confidence), shadow.p99(r.Limits.Confidence)
	report.Certificate = certificate.Make(whole, r.Limits, now)
	report.Certificate.State = worst(append(states, report.Certificate.State))
	report.Summary = report.Causes.String()
	return report
}

// route reports on one route.
func (r *Reader) route(sum *page, name string, running map[string]run, gates []certificate.Gate, now time.Time) (RouteReport, certificate.Evidence) {
	counts, b := sum.Tally.Route(name), sum.Books[name]
	verdicts := noise.Judge(counts, r.Marks)
	e := certificate.Evidence{Gates: gates, Legacy: b.Legacy.p99(r.Limits.Confidence), Shadow: b.Shadow.p99(r.Limits.Confidence)}
	e.Add(&counts.AB, verdicts)
	var under uint64
	for _, run := range running {
		if run.Route == name {
			under++
		}
	}
	e.Starts = certificate.Starts{
		Acknowledged: b.Completed + b.ListedRuns + under, Completed: b.Completed, Listed: b.ListedRuns, Running: under, Dropped: b.Dropped,
	}
	report := RouteReport{Certificate: certificate.Make(e, r.Limits, now), Fields: verdicts.Fields}
	for i, rule := range r.Rules {
		if i >= len(b.Matched) || b.Matched[i] == 0 {
			report.IdleRules = append(report.IdleRules, fmt.Sprintf("%s %s", rule.Effect, rule.Pattern))
		}
	}
	return report, e
}

// together adds one route's evidence to that of others.
func together(whole, e certificate.Evidence) certificate.Evidence {
	whole.Compared += e.Compared
	whole.Mismatches += e.Mismatches
	whole.Undecided += e.Undecided
	whole.Judged += e.Judged
	whole.Disagreed += e.Disagreed
	whole.Uncompared += e.Uncompared
	s := &whole.Starts
	s.Acknowledged += e.Starts.Acknowledged
	s.Completed += e.Starts.Completed
	s.Listed += e.Starts.Listed
	s.Running += e.Starts.Running
	if s.Dropped == nil {
		s.Dropped = map[string]uint64{}
	}
	for reason, n := range e.Starts.Dropped {
		s.Dropped[reason] += n
	}
	return whole
}

// worst returns the state of a certificate that is as good as the worst of them.
func worst(states []certificate.State) certificate.State {
	for _, bad := range []certificate.State{certificate.Red, certificate.Pending} {
		if slices.Contains(states, bad) {
			return bad
		}
	}
	return certificate.Green
}

// sum adds all gateways' shares, and lists what runs.
func (r *Reader) sum(ctx context.Context) (*page, map[string]run, error) {
	shares, err := r.Notes.Notes(ctx, subject, r.Self)
	if err != nil {
		return nil, nil, err
	}
	notes, err := r.Notes.Notes(ctx, subjectRunning, r.Self)
	if err != nil {
		return nil, nil, err
	}
	sum, running, taken := newPage(), map[string]run{}, takenOver(shares)
	for _, n := range notes {
		if taken[n.Owner] {
			continue
		}
		if err := json.Unmarshal(n.Body, &running); err != nil {
			return nil, nil, fmt.Errorf("what gateway %s mirrors cannot be read: %w", n.Owner, err)
		}
	}
	for _, n := range shares {
		if taken[n.Owner] {
			continue
		}
		share, err := parsePage(n.Body)
		if err != nil {
			return nil, nil, fmt.Errorf("what gateway %s has mirrored cannot be read: %w", n.Owner, err)
		}
		sum.merge(share)
		for _, id := range share.Ended {
			delete(running, id)
		}
	}
	return sum, running, nil
}
