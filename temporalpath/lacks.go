package temporalpath

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sluice/temporalpath/wire"
)

// Lack is what a route's documents would need of those who work for it, and do not get.
type Lack string

// The closed set of lacks.
const (
	// LackPollers: nobody polls the task queue.
	LackPollers Lack = "pollers"
	// LackType: the route's type is not among those that the workers declared.
	LackType Lack = "type"
	// LackUpdate: the route waits by the update, and the workers do not offer it.
	LackUpdate Lack = "update"
	// LackClaimCheck: the claim check is on, and the workers do not read it.
	LackClaimCheck Lack = "claim_check"
	// LackEncoding: an answer was in an encoding that the gateway does not read, within
	// the last unreadableHolds.
	LackEncoding Lack = "encoding"
)

// Lacks lists them all.
func Lacks() []Lack {
	return []Lack{LackPollers, LackType, LackUpdate, LackClaimCheck, LackEncoding}
}

// String returns the word used in metrics and logs.
func (l Lack) String() string { return string(l) }

// unreadableHolds is how long an answer is remembered that could not be read.
const unreadableHolds = 10 * time.Minute

// Lacking tells, once, that a lack of a route has begun, or is over.
type Lacking struct {
	Route string
	Lack  Lack
	Over  bool
	// Text says what the lack is and what comes of it, for people.
	Text string
}

// lacks are those of a route, each with its text.
type lacks map[Lack]string

// unreadable is the last answer that could not be read.
type unreadable struct {
	encoding string
	at       time.Time
}

// Lacks reports whether the route has the lack.
func (w *Workers) Lacks(routeName string, lack Lack) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, lacking := w.lacking[routeName][lack]
	return lacking
}

// LacksOf returns the lacks of a route, each with what comes of it, for people.
func (w *Workers) LacksOf(routeName string) map[Lack]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.lacking[routeName])
}

// unreadable notes that a workflow of the type answered in an encoding that this process
// does not read.
func (w *Workers) unreadable(workflowType, encoding string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unread[workflowType] = unreadable{encoding, time.Now()}
}

// compare finds what the routes of a task queue lack now, and tells of what has changed.
func (w *Workers) compare(queue string, tell func(Lacking)) {
	for _, name := range slices.Sorted(maps.Keys(w.path.config.Routes)) {
		route := w.path.config.Routes[name]
		if route.TaskQueue != queue {
			continue
		}
		now := w.lacksOf(route)
		w.mu.Lock()
		before := w.lacking[name]
		w.lacking[name] = now
		w.mu.Unlock()
		for _, lack := range Lacks() {
			text, lacking := now[lack]
			old, lacked := before[lack]
			switch {
			case lacking && !lacked:
				tell(Lacking{Route: name, Lack: lack, Text: text})
			case lacked && !lacking:
				tell(Lacking{Route: name, Lack: lack, Over: true, Text: old})
			}
		}
	}
}

// lacksOf finds what a route lacks.
func (w *Workers) lacksOf(route Route) lacks {
	q, found := question{queue: route.TaskQueue}, lacks{}
	w.mu.Lock()
	last := w.unread[route.WorkflowType]
	w.mu.Unlock()
	if !last.at.IsZero() && time.Since(last.at) < unreadableHolds {
		found[LackEncoding] = fmt.Sprintf("%s answers in the encoding %.40q, which the gateway does not read: clients get 502; workers need a data converter without a codec, and a claim check that is on in the gateway too", route.WorkflowType, last.encoding)
	}
	if w.Pollers(route.TaskQueue) == 0 {
		found[LackPollers] = fmt.Sprintf("nobody polls %s: documents that are started there wait", q)
		return found
	}
	support, asked := w.said(q)
	if !asked {
		return found
	}
	typed := support.serving(q, route.WorkflowType)
	switch {
	case support.OK && !typed.OK:
		found[LackType] = typed.Reason + ": documents that are started wait until some worker serves it"
	case route.RequireSupport && !typed.OK:
		found[LackType] = typed.Reason
	}
	if route.RequireSupport && !typed.OK {
		found[LackType] += "; workflow.require_support is set, so new documents go to legacy"
	}
	if route.Update && !w.update(route) {
		found[LackUpdate] = fmt.Sprintf("the workers of %s declare the update %q for [%s] and not for %s: the gateway waits by polling, as with workflow.result: close",
			q, wire.ResultUpdate, strings.Join(support.Updates, ", "), route.WorkflowType)
	}
	if codec := w.path.config.Codec; codec != nil && !w.loads(q, codec) {
		why := support.Reason
		if support.OK {
			why = fmt.Sprintf("they declare [%s]", strings.Join(support.ClaimCheck, ", "))
		}
		found[LackClaimCheck] = fmt.Sprintf("the workers of %s do not say that they read the claim check %q (%s): documents travel whole, and what is over temporal.max_input goes to legacy",
			q, codec.Name(), why)
	}
	return found
}
