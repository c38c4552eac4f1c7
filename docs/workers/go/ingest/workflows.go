package ingest

import (
	"encoding/json"
	"net/url"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// doc:begin workflow

// IngestInvoice ingests an invoice, which is JSON. Its route has `result: update`.
func IngestInvoice(ctx workflow.Context, in Input) (Answer, error) {
	return answering(ctx, func(ctx workflow.Context) (Answer, error) {
		total, err := totalOf(in)
		if err != nil {
			return Answer{}, err
		}
		query, _ := url.ParseQuery(in.Query)
		if query.Get("dry_run") == "true" {
			return Answer{Status: 200, Body: map[string]any{"doc_id": in.DocID, "total": total, "stored": false}}, nil
		}
		if _, err := storeDocument(ctx, in); err != nil {
			return Answer{}, err
		}
		return Answer{
			Status:  201,
			Headers: map[string][]string{"Location": {in.Path + "/" + url.PathEscape(in.DocID)}},
			Body:    map[string]any{"doc_id": in.DocID, "total": total, "stored": true},
		}, nil
	})
}

// doc:end workflow

// IngestScan ingests a scan, which is any bytes. Its route has `result: close`.
func IngestScan(ctx workflow.Context, in Input) (Answer, error) {
	size, err := storeDocument(ctx, in)
	if err != nil {
		return Answer{}, err
	}
	return Answer{Status: 201, Headers: map[string][]string{"X-Kind": {"scan"}}, Body: map[string]any{"doc_id": in.DocID, "bytes": size}}, nil
}

func storeDocument(ctx workflow.Context, in Input) (size int, err error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: time.Minute,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: 200 * time.Millisecond, MaximumAttempts: 5},
	})
	err = workflow.ExecuteActivity(ctx, (*Store).StoreDocument, in).Get(ctx, &size)
	return size, err
}

func totalOf(in Input) (float64, error) {
	var invoice struct {
		Total    *float64 `json:"total"`
		Currency string   `json:"currency"`
	}
	if in.BodyEncoding != "" || json.Unmarshal(in.Body, &invoice) != nil || invoice.Total == nil {
		// The type stands in the route's `failures`, which gives the status; the client
		// gets the message.
		return 0, temporal.NewNonRetryableApplicationError("an invoice is a JSON object with a total", "InvalidDocument", nil)
	}
	if invoice.Currency != "" && invoice.Currency != "EUR" {
		// The first detail is an answer: what the legacy service answers here.
		refusal := Answer{Status: 409, Headers: map[string][]string{"X-Kind": {"refusal"}}, Body: map[string]any{"error": "currency"}}
		return 0, temporal.NewNonRetryableApplicationError("no invoices in "+invoice.Currency, "UnsupportedCurrency", nil, refusal)
	}
	return *invoice.Total, nil
}
