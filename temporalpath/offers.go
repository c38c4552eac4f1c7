package temporalpath

import "slices"

// Declared returns what the workers of a route's real task queue declared; not OK, with
// the reason, if they have not.
func (w *Workers) Declared(queue string) Support {
	support, _ := w.said(question{queue: queue})
	return support
}

// Ready reports whether the route's documents may be started: its workers have declared
// its type, or need not.
func (w *Workers) Ready(routeName string) bool {
	route := w.path.config.Routes[routeName]
	if !route.RequireSupport {
		return true
	}
	q := question{queue: route.TaskQueue}
	support, _ := w.said(q)
	return support.serving(q, route.WorkflowType).OK
}

// ShadowReady reports whether shadow runs of the route may be started; if not, it
// says why.
func (w *Workers) ShadowReady(routeName string) (ready bool, reason string) {
	route, q := w.shadowOf(routeName)
	if q.queue == "" {
		return false, noShadows(routeName).Reason
	}
	support, _ := w.said(q)
	support = support.serving(q, route.WorkflowType)
	return support.OK, support.Reason
}

// Asked reports whether the route's workers have been asked since shadow runs came to be
// wanted, whatever they said.
func (w *Workers) Asked(routeName string) bool {
	_, q := w.shadowOf(routeName)
	if q.queue == "" {
		return true // there is nobody to ask
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	_, known := w.known[q]
	return known && w.wanted
}

// Batches reports whether the route's workers take shadow runs many at a time.
func (w *Workers) Batches(routeName string) bool {
	_, q := w.shadowOf(routeName)
	support, _ := w.said(q)
	return support.OK && support.Batches
}

func (w *Workers) shadowOf(routeName string) (Route, question) {
	route := w.path.config.Routes[routeName]
	return route, question{route.ShadowTaskQueue, true}
}

// update reports whether the route's type offers the update, as far as is known: the
// route says so, and its workers did not say otherwise.
func (w *Workers) update(route Route) bool {
	if !route.Update {
		return false
	}
	support, _ := w.said(question{queue: route.TaskQueue})
	return !support.OK || support.Updates == nil || slices.Contains(support.Updates, route.WorkflowType)
}

// loads reports whether the workers of the task queue read what the codec stores. They
// must have said so: others would never get on with such a document.
func (w *Workers) loads(q question, codec Codec) bool {
	support, _ := w.said(q)
	return support.OK && slices.Contains(support.ClaimCheck, codec.Name())
}
