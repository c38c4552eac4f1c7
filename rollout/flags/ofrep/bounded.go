package ofrep

import (
	"fmt"
	"io"
	"net/http"
)

// answerLimit bounds one answer, in bytes; a flag's is a few hundred.
const answerLimit = 1 << 20

// bounded limits what one answer may cost, and turns a status that the protocol
// does not know into an error: the provider would call it "invalid response",
// or complain about the JSON of a proxy's HTML page.
type bounded struct {
	next http.RoundTripper
}

// RoundTrip fails on a status that the protocol does not know.
func (b bounded) RoundTrip(request *http.Request) (*http.Response, error) {
	answer, err := b.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	switch answer.StatusCode {
	case http.StatusOK, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden,
		http.StatusNotFound, http.StatusTooManyRequests:
	default:
		_ = answer.Body.Close() // its text is not wanted
		return nil, fmt.Errorf("the flag service answered %s", answer.Status)
	}
	answer.Body = limitedBody{io.LimitReader(answer.Body, answerLimit), answer.Body}
	return answer, nil
}

type limitedBody struct {
	io.Reader
	io.Closer
}
