package ledger

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Timeline tells all that is known of a wish, and what else happened to its
// document meanwhile, in order.
func (l *Ledger) Timeline(n int, marks []Mark) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := &l.wishes[n]
	lines := w.lines(fmt.Sprint("wish ", n))
	if len(lines) == 0 {
		return "nothing is known"
	}
	from, to := lines[0].at-time.Second, lines[0].at
	for _, line := range lines {
		from, to = min(from, line.at-time.Second), max(to, line.at)
	}
	for other := range l.wishes {
		if other != n && l.wishes[other].doc == w.doc && len(lines) < 200 {
			lines = append(lines, l.wishes[other].lines(fmt.Sprint("  other wish ", other))...)
		}
	}
	for _, mark := range marks {
		lines = append(lines, line{l.Since(mark.At), "        " + mark.Text})
	}
	lines = slices.DeleteFunc(lines, func(line line) bool { return line.at < from || line.at > to })
	slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(a.at, b.at) })
	var b strings.Builder
	fmt.Fprintf(&b, "document %q\n", w.doc)
	for _, line := range lines {
		fmt.Fprintf(&b, "  %9.3f s  %s\n", line.at.Seconds(), line.text)
	}
	return b.String()
}

// Mark is something that the harness did.
type Mark struct {
	At   time.Time
	Text string
}

type line struct {
	at   time.Duration
	text string
}

func (w *wish) lines(who string) (lines []line) {
	add := func(at time.Duration, format string, args ...any) {
		lines = append(lines, line{at, who + ": " + fmt.Sprintf(format, args...)})
	}
	for _, a := range w.answers {
		add(a.Sent, "attempt %d to gateway %d", a.Attempt, a.Gateway)
		add(a.At, "attempt %d answered %d path=%s life=%d replayed=%v %s", a.Attempt, a.Status, a.Path, a.Life, a.Replayed, a.Problem)
	}
	for _, a := range w.arrivals {
		add(a.At, "attempt %d arrives at legacy", a.Attempt)
		add(a.End, "attempt %d leaves legacy: effect=%v broken=%v %s", a.Attempt, a.Effect, a.Broken, a.Fate)
	}
	for _, r := range w.runs {
		add(r.At, "Temporal ingests: life %d of intent %s, run %s, fate %d", r.Life, r.Intent, r.ID, r.Fate)
		add(r.End, "Temporal has ingested: life %d, %d times, undone=%v", r.Life, r.Times, r.Undone)
	}
	return lines
}
