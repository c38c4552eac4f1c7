package temporalpath

import (
	"encoding/json"

	commonpb "go.temporal.io/api/common/v1"

	"sluice/rollout"
)

// The memo of a run.
const (
	memoDocID = "doc_id" // for people and their tools
	// memoDocument is the document's key, from which its workflow ID is made; there the
	// key may be folded.
	memoDocument = "sluice.document"
	memoRoute    = "sluice.route"  // the gateway's route, which the workflow's type may not tell
	memoShadow   = "sluice.shadow" // true, of shadow runs alone
)

// memo returns what travels with every run of the document, and more.
func memo(doc *rollout.Document, more map[string]any) *commonpb.Memo {
	values := map[string]any{memoDocID: doc.DocID, memoDocument: doc.Identity(), memoRoute: doc.Route}
	for name, value := range more {
		values[name] = value
	}
	fields := map[string]*commonpb.Payload{}
	for name, value := range values {
		text, _ := json.Marshal(value) // strings and booleans cannot fail
		fields[name] = &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: text}
	}
	return &commonpb.Memo{Fields: fields}
}

// textOf returns the text that a memo holds under the name; empty if it holds none.
func textOf(m *commonpb.Memo, name string) (text string) {
	if json.Unmarshal(m.GetFields()[name].GetData(), &text) != nil {
		return ""
	}
	return text
}
