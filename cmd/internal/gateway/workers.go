package gateway

import (
	"context"
	"net/url"

	"go.uber.org/zap"

	"sluice/temporalpath"
	"sluice/temporalpath/wire"
)

// tellOfWorkers logs, once, that a route lacks something of its workers, and once that it
// does not any more.
func (g *Gateway) tellOfWorkers(l temporalpath.Lacking) {
	log := g.options.Log.Named("workers").With(zap.String("route", l.Route), zap.String("lack", l.Lack.String()))
	if l.Over {
		log.Info("it is over: " + l.Text)
		return
	}
	log.Warn(l.Text)
}

// queueView is what the operator API answers of a task queue.
type queueView struct {
	Pollers int                  `json:"pollers"`
	Serving temporalpath.Serving `json:"serving"`
	// Declared is what the workers declared; nil if they have not, and Undeclared says why.
	Declared   *wire.Support `json:"declared,omitempty"`
	Undeclared string        `json:"undeclared,omitempty"`
}

// viewWorkers tells, for each real task queue, who works on it and what they declared; and
// for each route what it lacks of them.
func (g *Gateway) viewWorkers(context.Context, url.Values) (any, error) {
	queues, lacks := map[string]queueView{}, map[string]map[temporalpath.Lack]string{}
	for _, queue := range g.workers.TaskQueues() {
		v := queueView{Pollers: g.workers.Pollers(queue), Serving: g.workers.Serving(queue)}
		if support := g.workers.Declared(queue); support.OK {
			v.Declared = &support.Support
		} else {
			v.Undeclared = support.Reason
		}
		queues[queue] = v
	}
	for _, route := range g.config.Routes {
		lacks[route.Name] = g.workers.LacksOf(route.Name)
	}
	return map[string]any{"task_queues": queues, "lacks": lacks}, nil
}
