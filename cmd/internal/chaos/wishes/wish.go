// Package wishes says what clients wish for: which documents, in which versions,
// with a key or without. All of it follows from the seed.
package wishes

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
)

// AttemptField names one attempt of a client, so that its own repeats can be told
// from those of a gateway. Workflows do not get it: a field that a route hands on is
// part of its intents, and each attempt would be a new wish.
const AttemptField = "X-Attempt"

// Wish is one intent.
type Wish struct {
	Number int
	DocID  string
	// Edited: one client writes the document's versions one after the other, and the
	// same ones again; see Editing.
	Edited bool
	// Method is POST, or DELETE for an edit that removes the document.
	Method string
	// Route is the name of the gateway's route: RouteUpdate or RouteClose.
	Route string
	// Key is the Idempotency-Key; may be empty.
	Key string
	// Async asks for a 202.
	Async bool
	// Settle: a 202 is not enough, the client comes back for the result.
	Settle bool
	Body   []byte
}

// The routes: one waits for a result by an update, one for the workflow's end.
const (
	RouteUpdate = "documents"
	RouteClose  = "notes"
)

// Path returns the URL's path of a route.
func Path(route string) string { return "/v1/" + route }

// Path returns the path of the wish's URL.
func (w *Wish) Path() string {
	if w.Method == http.MethodDelete {
		return Path(w.Route) + "/" + w.DocID
	}
	return Path(w.Route)
}

const hotDocuments = 24

const (
	// editedEvery is how many wishes there are to one document that is edited.
	editedEvery = 25
	// Edits is how many wishes are for such a document: two versions and its removal.
	Edits = 3
)

// Editing reports whether wish number n is one of a document that is edited, and whether
// it is the first of them.
func Editing(n int) (edited, first bool) { return n%editedEvery < Edits, n%editedEvery == 0 }

// Hot begins the doc_id of a document that comes in many versions.
const Hot = "hot-"

// At returns wish number n.
func At(seed uint64, n int) Wish {
	rng := rand.New(rand.NewPCG(seed, uint64(n)))
	w := Wish{Number: n, Route: RouteUpdate, Method: http.MethodPost}
	if edited, _ := Editing(n); edited {
		return edit(w)
	}
	switch luck := rng.Float64(); {
	case luck < 0.08:
		w.DocID = fmt.Sprint(Hot, rng.IntN(hotDocuments))
	case luck < 0.4:
		w.DocID = fmt.Sprint("some-", n/4) // a few versions, nearly at one time
	default:
		w.DocID = fmt.Sprint("doc-", n)
	}
	if rng.IntN(3) == 0 {
		w.Route = RouteClose
	}
	if rng.IntN(2) == 0 {
		w.Key = fmt.Sprint("key-", n)
	}
	w.Async, w.Settle = rng.IntN(16) == 0, rng.IntN(2) == 0
	w.Body, _ = json.Marshal(Document{DocID: w.DocID, Wish: n, Text: strings.Repeat("x", rng.IntN(400))}) // it cannot fail
	if strings.HasPrefix(w.DocID, Hot) && rng.IntN(2) == 0 {
		w.Async = true // versions that Temporal holds back behind others
	}
	return w
}

// edit is a wish for a document that is edited: without a key, and the same bytes each
// time it comes.
func edit(w Wish) Wish {
	w.DocID, w.Edited, w.Settle = fmt.Sprint("edit-", w.Number/editedEvery), true, true
	if w.Number%editedEvery == Edits-1 {
		w.Method = http.MethodDelete
		return w
	}
	w.Body, _ = json.Marshal(Document{DocID: w.DocID, Wish: w.Number}) // it cannot fail
	return w
}

// Document is a request's body.
type Document struct {
	DocID string `json:"doc_id"`
	Wish  int    `json:"wish"`
	Text  string `json:"text"`
}

// Answer is what both paths answer.
type Answer struct {
	Path string `json:"path"`
	Wish int    `json:"wish"`
	Life uint64 `json:"life,omitempty"`
	Run  string `json:"run,omitempty"`
}

// Attempt names attempt k at wish n.
func Attempt(n, k int) string { return fmt.Sprintf("%d.%d", n, k) }

// ParseAttempt reads such a name; false if it is none.
func ParseAttempt(text string) (n, k int, ok bool) {
	first, second, found := strings.Cut(text, ".")
	n, err := strconv.Atoi(first)
	k, failed := strconv.Atoi(second)
	return n, k, found && err == nil && failed == nil
}
