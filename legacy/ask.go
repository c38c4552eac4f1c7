package legacy

import (
	"context"
	"net/http"
)

// Outbound returns the fields that legacy is told of the client's request, as it
// would get them with the request itself, and the Host. What concerns this
// connection only is not among them.
func (f *Forwarder) Outbound(r *http.Request) (fields http.Header, host string) {
	fields = f.fields(r)
	delete(fields, "Expect")
	return fields, f.host(r)
}

// Ask sends a question of the gateway's own about the client's request to legacy, on
// the connection that the client's requests go on if it has one of its own. The
// caller closes the answer's body.
func (f *Forwarder) Ask(ctx context.Context, r, question *http.Request) (*http.Response, error) {
	p, alone := f.privateOf(r)
	transport := f.transport
	if p != nil {
		transport = p.transport
	}
	question = question.WithContext(ctx)
	question.Close = alone
	response, err := transport.RoundTrip(question)
	if err == nil && p == nil {
		f.answered(r, response, nil)
	}
	return response, err
}
