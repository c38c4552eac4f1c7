package router_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"sluice/rollout"
	"sluice/router"
)

// Whatever the gateway answers itself, its record counts the bytes of the answer.
func TestEveryAnswerOfTheGatewaysIsCounted(t *testing.T) {
	legacyFails := func(err error) func(*setup) {
		return answering(func(context.Context, http.ResponseWriter, *http.Request) (rollout.Result, error) {
			return rollout.Result{}, err
		})
	}
	refusing := func(err error) func(*setup) {
		return guarded(authoriseFunc(func(context.Context, *http.Request) (*router.Refusal, error) { return nil, err }))
	}
	key := []string{underKey, itsKey}
	for name, row := range map[string]struct {
		body    string
		status  int
		before  string // a document that is posted first, with the same key
		target  string // /v1/documents unless it is named
		options []func(*setup)
	}{
		"no document":            {"{}", 400, "", "", []func(*setup){rejecting}},
		"too large":              {padded(101), 413, "", "", []func(*setup){func(s *setup) { s.Body.Max = 100 }}},
		"too many":               {docA, 503, "", "", []func(*setup){func(s *setup) { s.Body.Budget = 1 }}},
		"another spelling":       {docA, 400, "", "/v1//documents", []func(*setup){func(s *setup) { s.RejectSpellings = true }}},
		"a key that was used":    {`{"doc_id":"a","b":1}`, 422, docA, "", []func(*setup){at(100)}},
		"an answer not kept":     {docA, 409, docA, "", []func(*setup){keeping(&kept{}), func(s *setup) { s.AnswerLimit = 1 }, says(200, "made")}},
		"a workflow's failure":   {docA, 422, "", "", []func(*setup){at(100), running(failed(rollout.Failure{Type: "Bad", Message: "text", Status: 422}))}},
		"a workflow that may be": {docA, 503, "", "", []func(*setup){at(100), running(failing(errors.New("as ordered")))}},
		"nobody knows who":       {docA, 503, "", "", []func(*setup){at(100), refusing(errors.New("as ordered"))}},
		"a bound credential":     {docA, 403, "", "", []func(*setup){at(100), refusing(router.ErrBoundCredentials)}},
		"legacy is not there":    {docA, 502, "", "", []func(*setup){legacyFails(rollout.ErrNotAccepted)}},
		"legacy broke off":       {docA, 502, "", "", []func(*setup){legacyFails(errors.New("as ordered"))}},
		"legacy, beside routes":  {docA, 502, "", "/other", []func(*setup){legacyFails(errors.New("as ordered"))}},
	} {
		t.Run(name, func(t *testing.T) {
			d := openDoor(t, row.options...)
			if row.before != "" {
				d.post(row.before, key...)
				d.observer.next()
			}
			target := row.target
			if target == "" {
				target = "/v1/documents"
			}
			got := d.send(http.MethodPost, target, row.body, key...)
			got.want(t, row.status, "")
			if result := d.observer.next().Result; result.Status != got.status || result.BytesOut != int64(len(got.body)) || got.body == "" {
				t.Errorf("%d bytes on record and %d for the client: %+v", result.BytesOut, len(got.body), result)
			}
		})
	}
}
