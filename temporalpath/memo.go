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
	memoShadow   = "sluice.shadow" // true, of shadow runs alone
)

// memo returns what travels with every run of the document, and more.
func memo(doc *rollout.Document, more map[string]any) *commonpb.Memo {
	values := map[string]any{memoDocID: doc.DocID, memoDocument: doc.Identity()}
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

// documentOf returns the document's key that a memo holds; empty if it holds none.
func documentOf(m *commonpb.Memo) (key string) {
	if json.Unmarshal(m.GetFields()[memoDocument].GetData(), &key) != nil {
		return ""
	}
	return key
}
