package validation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Request is one line of a file of requests.
type Request struct {
	Method string `json:"method"`
	// Path is escaped, with the query if there is one.
	Path    string            `json:"path"`
	Headers map[string]Values `json:"headers,omitempty"`
	// Body is a body that is JSON, BodyBase64 any other.
	Body       json.RawMessage `json:"body,omitempty"`
	BodyBase64 []byte          `json:"body_base64,omitempty"`
}

// Values are a field's: a JSON string, or an array of them.
type Values []string

// UnmarshalJSON reads either form.
func (v *Values) UnmarshalJSON(text []byte) error {
	if bytes.HasPrefix(text, []byte("[")) {
		return json.Unmarshal(text, (*[]string)(v))
	}
	var one string
	err := json.Unmarshal(text, &one)
	*v = Values{one}
	return err
}

// ParseRequest reads a line. The error says what is wrong with it, for people.
func ParseRequest(line []byte) (*Request, error) {
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	r := &Request{}
	if err := decoder.Decode(r); err != nil {
		return nil, fmt.Errorf(`not an object such as {"method":"POST","path":"/v1/documents","body":{}}: %w`, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more than one object on the line")
	}
	if r.Method == "" {
		return nil, errors.New("there is no method")
	}
	if u, err := url.ParseRequestURI(r.Path); err != nil || !strings.HasPrefix(r.Path, "/") || u.Host != "" {
		return nil, fmt.Errorf("path %q is not one such as /v1/documents?priority=1", r.Path)
	}
	if len(r.Body) > 0 && len(r.BodyBase64) > 0 {
		return nil, errors.New("there are both body and body_base64")
	}
	if _, err := r.HTTP(context.Background(), "http://legacy"); err != nil {
		return nil, err
	}
	return r, nil
}

// Text returns the body's bytes.
func (r *Request) Text() []byte {
	if len(r.Body) > 0 {
		return r.Body
	}
	return r.BodyBase64
}

// HTTP returns the request for the service at base, an URL without a slash at its
// end. A body that is JSON is called so unless the fields say otherwise.
func (r *Request) HTTP(ctx context.Context, base string) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, r.Method, base+r.Path, bytes.NewReader(r.Text()))
	if err != nil {
		return nil, err
	}
	for name, values := range r.Headers {
		for _, value := range values {
			request.Header.Add(name, value)
		}
	}
	if len(r.Body) > 0 && request.Header.Get("Content-Type") == "" {
		request.Header.Set("Content-Type", "application/json")
	}
	if host := request.Header.Get("Host"); host != "" {
		request.Host = host
	}
	return request, nil
}
