package legacy

import (
	"context"
	"net/http"
	"net/http/httptrace"
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
// the connection that the client's requests go on if it has one of its own. It has no
// body. The caller closes the answer's.
func (f *Forwarder) Ask(ctx context.Context, r, question *http.Request) (*http.Response, error) {
	p, alone := f.privateOf(r)
	transport := f.transport
	if p != nil {
		transport = p.transport
	}
	question.Close = alone
	// What is another client's is barred by the witness; the transport then takes
	// another one by itself, for nothing was written.
	var seen witness
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: seen.gotConn})
	response, err := transport.RoundTrip(question.WithContext(traced))
	if err == nil && p == nil {
		f.answered(r, response, seen.conn)
	}
	return response, err
}
