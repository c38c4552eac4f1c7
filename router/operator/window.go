package operator

import (
	"container/heap"
	"slices"
	"strings"
)

// window keeps of all documents that it is shown the first in the order of their
// doc_ids, as many as it takes to have limit claims: what a page holds, without
// sorting or holding all that is open. Documents are kept or dropped whole, so
// that a page may begin after any of them.
type window struct {
	after string // only documents after this one are kept
	limit int    // claims, at least 1
	held  lastFirst
	count int  // claims held
	more  bool // something was dropped at the end
}

// document is one document's part of a page.
type document struct {
	id     string
	claims []Claim
}

// wants reports whether a document that has something to show is to be kept.
func (w *window) wants(id string) bool {
	if id <= w.after {
		return false
	}
	if w.count >= w.limit && id > w.held[0].id {
		w.more = true
		return false
	}
	return true
}

// add keeps a document that is wanted, and drops those that it makes superfluous.
func (w *window) add(d document) {
	heap.Push(&w.held, d)
	w.count += len(d.claims)
	for w.count-len(w.held[0].claims) >= w.limit {
		w.count -= len(heap.Pop(&w.held).(document).claims)
		w.more = true
	}
}

// page returns the claims in order, and the doc_id that the next page begins
// after; empty if there is none.
func (w *window) page() (claims []Claim, next string) {
	slices.SortFunc(w.held, func(a, b document) int { return strings.Compare(a.id, b.id) })
	claims = make([]Claim, 0, w.count)
	for _, d := range w.held {
		claims = append(claims, d.claims...)
	}
	if w.more {
		next = w.held[len(w.held)-1].id
	}
	return claims, next
}

// lastFirst is a heap.
type lastFirst []document

func (h lastFirst) Len() int           { return len(h) }
func (h lastFirst) Less(i, j int) bool { return h[i].id > h[j].id }
func (h lastFirst) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *lastFirst) Push(x any)        { *h = append(*h, x.(document)) }
func (h *lastFirst) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
}
