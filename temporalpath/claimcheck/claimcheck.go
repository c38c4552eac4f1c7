// Package claimcheck moves large payloads out of Temporal's messages into a
// store that the gateway and the workers share, and back. It is the Temporal
// SDK's external payload storage, so that workers in any language that have
// their SDK's own driver of the same name read what the gateway stores.
//
// What is stored is never removed here: the store needs a retention of its own,
// longer than the namespace's.
package claimcheck

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/encoding/protojson"
)

// DefaultThreshold is the size, in bytes, from which a payload is stored apart.
const DefaultThreshold = 256 << 10

// Check is a claim check over one driver. It is safe for concurrent use.
type Check struct {
	storage converter.ExternalStorage
	handler http.Handler
}

// New returns the claim check over the driver. Payloads of threshold bytes and
// more are stored apart; 0 means DefaultThreshold.
func New(driver converter.StorageDriver, threshold int) (*Check, error) {
	if threshold == 0 {
		threshold = DefaultThreshold
	}
	storage := converter.ExternalStorage{Drivers: []converter.StorageDriver{driver}, PayloadSizeThreshold: threshold}
	// The SDK shows its storage to callers of the raw service by this handler
	// alone; it is called in process.
	handler, err := converter.NewPayloadHTTPHandler(converter.PayloadHTTPHandlerOptions{ExternalStorage: storage})
	if err != nil {
		return nil, fmt.Errorf("claim check: %w", err)
	}
	return &Check{storage: storage, handler: handler}, nil
}

// Storage is the claim check as clients and workers of the SDK take it.
func (c *Check) Storage() converter.ExternalStorage { return c.storage }

// Name is the driver's, in references and in what workers declare.
func (c *Check) Name() string { return c.storage.Drivers[0].Name() }

// Store replaces a large payload by a reference to it; a small one is returned
// as it is.
func (c *Check) Store(ctx context.Context, p *commonpb.Payload) (*commonpb.Payload, error) {
	if len(p.Data) < c.storage.PayloadSizeThreshold {
		return p, nil
	}
	return c.convert(ctx, "/encode", p)
}

// Load returns the payload that a reference stands for; any other payload is
// returned as it is.
func (c *Check) Load(ctx context.Context, p *commonpb.Payload) (*commonpb.Payload, error) {
	switch string(p.Metadata["encoding"]) {
	case "json/protobuf", "json/external-storage-reference":
		return c.convert(ctx, "/decode", p)
	}
	return p, nil
}

func (c *Check) convert(ctx context.Context, path string, p *commonpb.Payload) (*commonpb.Payload, error) {
	text, err := protojson.Marshal(&commonpb.Payloads{Payloads: []*commonpb.Payload{p}})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, path, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	answer := &buffered{header: http.Header{}, status: http.StatusOK}
	c.handler.ServeHTTP(answer, request)
	if answer.status != http.StatusOK {
		return nil, fmt.Errorf("payload storage: %s", bytes.TrimSpace(answer.body.Bytes()))
	}
	var converted commonpb.Payloads
	if err := protojson.Unmarshal(answer.body.Bytes(), &converted); err != nil {
		return nil, err
	}
	if len(converted.Payloads) != 1 {
		return nil, fmt.Errorf("payload storage answered with %d payloads for one", len(converted.Payloads))
	}
	return converted.Payloads[0], nil
}

// buffered is an http.ResponseWriter that keeps the answer.
type buffered struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (b *buffered) Header() http.Header         { return b.header }
func (b *buffered) WriteHeader(status int)      { b.status = status }
func (b *buffered) Write(p []byte) (int, error) { return b.body.Write(p) }
