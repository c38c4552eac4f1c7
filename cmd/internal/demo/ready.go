package demo

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// readyLimit bounds the start: a second on an idle machine.
const readyLimit = time.Minute

// probe is where a part says that it is ready.
type probe struct{ name, url string }

// probes lists the parts; what needs Temporal is left out until it is there.
func (d *Demo) probes(temporal bool) []probe {
	probes := []probe{
		{"legacy", "http://" + d.legacy + "/healthz"},
		{"gateway", "http://" + d.config.Listen.Operator + "/readyz"},
	}
	if temporal {
		probes = append(probes, probe{"worker", "http://" + d.config.Worker.Listen + "/readyz"})
	}
	if temporal && d.options.Temporal == "" {
		probes = append(probes, probe{"Temporal's web UI", "http://" + d.options.UI + "/"})
	}
	return probes
}

// untilReady waits until every part answers. It fails with ctx's cause if ctx
// ends first.
func (d *Demo) untilReady(ctx context.Context, probes []probe) error {
	limit, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	for _, probe := range probes {
		err := untilOK(limit, probe.url)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return fmt.Errorf("the %s is not ready within %s: %w", probe.name, readyLimit, err)
		}
	}
	return nil
}

// untilOK asks until the answer is a 2xx.
func untilOK(ctx context.Context, url string) error {
	for {
		err := ask(ctx, url)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func ask(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("%s answers %s", url, answer.Status)
	}
	return nil
}
