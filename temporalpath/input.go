package temporalpath

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	commonpb "go.temporal.io/api/common/v1"

	"sluice/rollout"
	"sluice/temporalpath/wire"
)

// Payload is a value on its way into or out of Temporal.
type Payload = *commonpb.Payload

// overhead bounds what the input holds besides what clients choose, in bytes.
const overhead = 1024

// Oversize reports whether the document is over what Temporal can hold; with the claim
// check nothing is, where the route's workers read it. It looks at the body only where
// the body's length alone does not settle it.
func (p *Path) Oversize(doc *rollout.Document) bool {
	return !p.stores(question{queue: p.config.Routes[doc.Route].TaskQueue}) && p.overMax(doc)
}

// ShadowOversize is Oversize for the document's shadow run.
func (p *Path) ShadowOversize(doc *rollout.Document) bool {
	return !p.stores(question{p.config.Routes[doc.Route].ShadowTaskQueue, true}) && p.overMax(doc)
}

// stores reports whether large inputs for the task queue are stored apart.
func (p *Path) stores(q question) bool {
	return p.config.Codec != nil && p.workers.loads(q, p.config.Codec)
}

// overMax reports whether the document's input is over MaxInput.
func (p *Path) overMax(doc *rollout.Document) bool {
	fixed := overhead
	for _, text := range []string{doc.DocID, doc.Tenant, doc.Path, doc.Query, doc.ContentType, doc.ContentEncoding} {
		fixed += 6 * len(text) // at most, as JSON
	}
	for name, value := range doc.PathParts {
		fixed += 6 * (len(name) + len(value) + 1)
	}
	for name, values := range doc.Header {
		fixed += len(name) + 8
		for _, v := range values {
			fixed += 6*len(v) + 4
		}
	}
	if encoded := fixed + base64Len(len(doc.Body)); encoded <= p.config.MaxInput {
		return false
	}
	form := p.config.Routes[doc.Route].Body
	return !form.IsValue(doc.ContentType, doc.ContentEncoding, doc.Body) || fixed+len(doc.Body) > p.config.MaxInput
}

func base64Len(n int) int { return (n + 2) / 3 * 4 }

// encode returns the workflow's input for the document.
func (p *Path) encode(ctx context.Context, doc *rollout.Document) (*commonpb.Payloads, error) {
	return p.pack(ctx, question{queue: p.config.Routes[doc.Route].TaskQueue}, p.inputOf(doc))
}

func (p *Path) inputOf(doc *rollout.Document) wire.Input {
	in := wire.Input{
		DocID: doc.DocID, Intent: string(doc.Intent), Life: doc.Life, Route: doc.Route, Tenant: doc.Tenant,
		Method: doc.Method, Path: doc.Path, Query: doc.Query, PathParts: doc.PathParts,
		ContentType: doc.ContentType, ContentEncoding: doc.ContentEncoding, Headers: doc.Header, Delayed: doc.Delay > 0,
	}
	in.SetBody(p.config.Routes[doc.Route].Body, doc.Body)
	return in
}

// pack returns the input as Temporal gets it, or the claim check's reference where the
// workers of the task queue read that.
//
// A repeat may find that they have begun to read it, or have ceased to, since the start
// that came before. That does no harm: of all starts of a life the first one that arrives
// makes the run, with its input, and the others find that run, whatever they bring
// (REJECT_DUPLICATE, USE_EXISTING, one request ID).
func (p *Path) pack(ctx context.Context, q question, in wire.Input) (*commonpb.Payloads, error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false) // it would grow the text sixfold, and change it
	if err := enc.Encode(in); err != nil {
		return nil, fmt.Errorf("workflow input: %w: %w", rollout.ErrNotAccepted, err)
	}
	payload := &commonpb.Payload{
		Metadata: map[string][]byte{"encoding": []byte("json/plain")},
		Data:     bytes.TrimSuffix(text.Bytes(), []byte("\n")),
	}
	switch {
	case p.stores(q):
		var err error
		if payload, err = p.config.Codec.Store(ctx, payload); err != nil {
			return nil, fmt.Errorf("claim check: %w: %w", rollout.ErrNotAccepted, err)
		}
	case len(payload.Data) > p.config.MaxInput: // it was not, when the document was decided
		return nil, fmt.Errorf("workflow input: %d bytes are over the limit of %d: %w", len(payload.Data), p.config.MaxInput, rollout.ErrNotAccepted)
	}
	return &commonpb.Payloads{Payloads: []*commonpb.Payload{payload}}, nil
}
