package gateway

import (
	"context"
	"net/url"
	"time"

	"sluice/rollout/control/loop"
	"sluice/rollout/evidence"
	"sluice/router/operator"
)

// shadowView is what the operator API answers of the mirror.
type shadowView struct {
	*evidence.Report
	// Ready says for each route whether it may be mirrored, or why not.
	Ready map[string]string `json:"ready"`
	// Wanted is the percentage that is to be mirrored now.
	Wanted float64 `json:"wanted_percent"`
}

func (g *Gateway) viewShadow(ctx context.Context, _ url.Values) (any, error) {
	now := time.Now().UTC()
	gates, err := g.shadow.gates.Certificate(ctx, now)
	if err != nil {
		return nil, err
	}
	report, err := g.shadow.reader.Report(ctx, gates, now)
	if err != nil {
		return nil, err
	}
	view := shadowView{Report: report, Ready: map[string]string{}}
	if p := g.ceilings.policy(); !p.Kill {
		view.Wanted = p.Shadow.Percent()
	}
	for _, r := range g.config.Routes {
		view.Ready[r.Name] = "ready"
		if ready, why := g.workers.ShadowReady(r.Name); !ready {
			view.Ready[r.Name] = why
		}
	}
	return view, nil
}

func (g *Gateway) viewSamples(ctx context.Context, query url.Values) (any, error) {
	limit, err := limit(query, fewPages, mostPages)
	if err != nil {
		return nil, err
	}
	samples, err := g.shadow.reader.Samples(ctx, limit)
	return map[string]any{"samples": samples}, err
}

// views are what operators can look at beside claims and audit.
func (g *Gateway) views() []operator.View {
	return []operator.View{
		{Name: "rollout", Read: g.viewRollout},
		{Name: "shadow", Read: g.viewShadow},
		{Name: "workers", Read: g.viewWorkers},
		{Name: "gates", Read: g.viewGates},
		{Name: "plan", Read: g.viewPlan},
		g.viewPages(loop.SubjectCertificates),
		g.viewPages(loop.SubjectTrips),
		g.viewPages(loop.SubjectTicks),
		{Name: "shadow/samples", Parameters: []string{"limit"}, Read: g.viewSamples},
	}
}

func (g *Gateway) viewGates(ctx context.Context, _ url.Values) (any, error) {
	results, err := g.shadow.gates.Results(ctx)
	return map[string]any{"gates": results}, err
}
