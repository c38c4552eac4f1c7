package ledger

import "fmt"

// Ran notes that the activity of a run ingested the document, be it for the
// first time or, after a crash of Temporal, again. ended is to be called once.
func (l *Ledger) Ran(n int, run Run) (ended func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := &l.wishes[n]
	key := runKey{n, run.ID}
	known := l.states[key]
	if known == nil {
		run.At = l.now()
		known = &run
		l.states[key] = known
		w.runs = append(w.runs, known)
	}
	known.Times++
	doc := l.traffic(w.doc)
	if doc.legacy > 0 {
		l.shared["Temporal began while legacy was at work"]++
	}
	if doc.temporal > 0 && known.Times == 1 && l.clash[n] == "" {
		l.clash[n] = fmt.Sprintf("life %d began while another run of document %q was at work", known.Life, w.doc)
	}
	doc.temporal++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		doc.temporal--
		known.End = l.now()
	}
}

// Undone notes that a run has undone what it did.
func (l *Ledger) Undone(n int, id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if run := l.states[runKey{n, id}]; run != nil {
		run.Undone = true
	}
}

// stands lists the runs whose effect is still there.
func (w *wish) stands() []*Run {
	var all []*Run
	for _, run := range w.runs {
		if !run.Undone {
			all = append(all, run)
		}
	}
	return all
}

// effects counts what legacy ingested.
func (w *wish) effects() (n int) {
	for _, a := range w.arrivals {
		if a.Effect {
			n++
		}
	}
	return n
}
