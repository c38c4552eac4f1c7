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

// Oversize reports whether the document is over what Temporal can hold. It
// looks at the body only where the body's length alone does not settle it.
func (p *Path) Oversize(doc *rollout.Document) bool {
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
	return p.pack(ctx, p.inputOf(doc))
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

// pack returns the input as Temporal gets it, or the claim check's reference.
func (p *Path) pack(ctx context.Context, in wire.Input) (*commonpb.Payloads, error) {
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
	if p.config.Codec != nil {
		var err error
		if payload, err = p.config.Codec.Store(ctx, payload); err != nil {
			return nil, fmt.Errorf("claim check: %w: %w", rollout.ErrNotAccepted, err)
		}
	}
	return &commonpb.Payloads{Payloads: []*commonpb.Payload{payload}}, nil
}
