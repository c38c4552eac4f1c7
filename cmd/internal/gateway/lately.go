package gateway

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"sluice/rollout"
	"sluice/rollout/control/loop"
	"sluice/rollout/guard"
)

// The subjects of the notes by which gateways tell each other.
const (
	subjectLatencies = "latencies"
	subjectFailed    = "failed"
)

const (
	// latenciesInterval is how often legacy's latencies are put down, and thresholds
	// made of them; firstLatencies is the same while there are none.
	latenciesInterval = time.Minute
	firstLatencies    = 5 * time.Second
	// mostFailed is how many documents that failed are remembered.
	mostFailed = 20
	// failedInterval is how often they are put down, if there are new ones.
	failedInterval = time.Second
)

// latencies are those of legacy's last documents on this gateway, oldest first.
type latencies struct {
	mu   sync.Mutex
	at   []int64 // guarded by mu; milliseconds since 1970
	took []int64 // guarded by mu; microseconds
	next int     // guarded by mu; where the ring goes on, once it is full
}

// sampled is a latency in a note.
type sampled struct {
	At   []int64 `json:"at_ms"`
	Took []int64 `json:"took_us"`
}

func (l *latencies) add(took time.Duration) {
	at, us := time.Now().UnixMilli(), took.Microseconds()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.at) < guard.MostSamples {
		l.at, l.took = append(l.at, at), append(l.took, us)
		return
	}
	l.at[l.next], l.took[l.next] = at, us
	l.next = (l.next + 1) % guard.MostSamples
}

func (l *latencies) note() sampled {
	l.mu.Lock()
	defer l.mu.Unlock()
	return sampled{
		At:   append(slices.Clone(l.at[l.next:]), l.at[:l.next]...),
		Took: append(slices.Clone(l.took[l.next:]), l.took[:l.next]...),
	}
}

// thresholds makes them of the newest latencies of all gateways.
func thresholds(notes []rollout.Note) (rollout.Thresholds, bool) {
	type one struct{ at, took int64 }
	var all []one
	for _, n := range notes {
		var s sampled
		if json.Unmarshal(n.Body, &s) != nil {
			continue // another version's
		}
		for i := range min(len(s.At), len(s.Took)) {
			all = append(all, one{s.At[i], s.Took[i]})
		}
	}
	slices.SortStableFunc(all, func(a, b one) int { return int(a.at - b.at) })
	took := make([]time.Duration, len(all))
	for i := range all {
		took[i] = time.Duration(all[i].took) * time.Microsecond
	}
	limits, ok := guard.NewThresholds(took)
	return rollout.Thresholds(limits), ok
}

// failed are the last documents that failed on this gateway.
type failed struct {
	mu   sync.Mutex
	last []loop.Document // guarded by mu; the oldest first
	news bool            // guarded by mu; the note is older than last
}

func (f *failed) observe(r *rollout.Record) {
	if r.DocID == "" || !r.Result.Outcome.Bad() && r.Decision.Reason != rollout.ReasonFallback {
		return
	}
	d := loop.Document{DocID: r.DocID, Path: r.Decision.Path.String(), At: time.Now().UTC(), Outcome: r.Result.Outcome.String(), Reason: r.Decision.Reason.String()}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.news = true
	if len(f.last) == mostFailed {
		copy(f.last, f.last[1:])
		f.last = f.last[:mostFailed-1]
	}
	f.last = append(f.last, d)
}

// note returns them if there are new ones.
func (f *failed) note() (last []loop.Document, news bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	news, f.news = f.news, false
	return slices.Clone(f.last), news
}

// merged returns the newest of all gateways', the newest last.
func merged(notes []rollout.Note) []loop.Document {
	var all []loop.Document
	for _, n := range notes {
		var some []loop.Document
		if json.Unmarshal(n.Body, &some) == nil {
			all = append(all, some...)
		}
	}
	slices.SortStableFunc(all, func(a, b loop.Document) int { return a.At.Compare(b.At) })
	return all[max(0, len(all)-mostFailed):]
}

// put puts a note down; what cannot be is put down the next time.
func (g *Gateway) put(ctx context.Context, subject string, content any) {
	body, err := json.Marshal(content)
	if err == nil {
		err = g.board.PutNote(ctx, subject, g.name, body)
	}
	if err != nil && ctx.Err() == nil {
		g.options.Log.Debug("a note could not be put down", zap.String("subject", subject), zap.Error(err))
	}
}

// share puts a note down, and returns those of all gateways; what gateways left that
// are gone is read this once more, and then taken away.
func (g *Gateway) share(ctx context.Context, subject string, content any) ([]rollout.Note, error) {
	g.put(ctx, subject, content)
	notes, err := g.board.Notes(ctx, subject, g.name)
	if err != nil {
		return nil, err
	}
	own := []byte("{}")
	for _, n := range notes {
		if n.Owner == g.name {
			own = n.Body
		}
	}
	for _, n := range notes {
		if n.Orphan {
			_, err = g.board.Inherit(ctx, subject, n, g.name, own)
		}
	}
	return notes, err
}
