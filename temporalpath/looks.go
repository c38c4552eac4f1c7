package temporalpath

import (
	"context"
	"time"

	"go.temporal.io/api/workflowservice/v1"

	"sluice/temporalpath/closing"
)

// looks is how often the workers of one task queue are looked at, which costs a call, and
// asked, which costs a run. It is owned by one loop.
type looks struct {
	interval time.Duration

	crew    string        // who was there when they were last asked
	asked   time.Time     // when that was
	patient time.Duration // how long after that they are asked again
	pause   time.Duration // before the next look
}

// due reports whether it is time to ask those who are there.
func (l *looks) due(crew string) bool { return crew != l.crew || time.Since(l.asked) >= l.patient }

// note says what came of a look: the next one is due sooner if they declared nothing.
func (l *looks) note(crew string, s Support) {
	refused := l.crew == crew && !s.OK && !s.Unheard
	l.crew, l.asked = crew, time.Now()
	switch l.pause = min(max(2*l.pause, firstRetry), l.interval); {
	case s.OK:
		l.patient, l.pause = askAgain, l.interval
	case refused:
		l.patient = min(max(2*l.patient, firstRetry), refusedAgain)
	default:
		l.patient = 0
	}
}

func (l *looks) rest(ctx context.Context) { closing.Pause(ctx, l.pause) }

// look looks who works on a task queue, and asks them what they support if that is due. It
// reports whether Temporal answered.
func (w *Workers) look(ctx context.Context, q question, l *looks) bool {
	queue, err := w.path.describeQueue(ctx, q.queue)
	w.see(q, queue, err)
	who := ""
	var support Support
	if err == nil {
		if who = crew(queue); !l.due(who) {
			return true
		}
		support, err = w.path.ask(ctx, q, queue)
	}
	if ctx.Err() != nil {
		return false
	}
	if err != nil {
		support = unsupported("Temporal cannot be asked what the workers of %s support: %v", q, err)
		support.Unheard = !q.shadow // the mirror tries nothing in vain
	}
	if err == nil && len(queue.GetPollers()) == 0 {
		who = "" // nobody was asked
	}
	l.note(who, support)
	w.learn(q, support, time.Now())
	return err == nil
}

// see takes over what Temporal says of a real task queue.
func (w *Workers) see(q question, queue *workflowservice.DescribeTaskQueueResponse, err error) {
	if q.shadow {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.up = err == nil
	if err == nil {
		w.pollers[q.queue] = len(queue.GetPollers())
		w.serving[q.queue] = serving(queue.GetVersioningInfo())
	}
}
