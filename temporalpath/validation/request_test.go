package validation_test

import (
	"io"
	"strings"
	"testing"

	"sluice/temporalpath/validation"
)

func TestParseRequest(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ line, wrong string }{
		"whole":       {`{"method":"POST","path":"/v1/documents?a=b","headers":{"A":"1","B":["2","3"]},"body":{"doc_id": "x"}}`, ""},
		"binary":      {`{"method":"PUT","path":"/v1/d","body_base64":"AAEC"}`, ""},
		"no body":     {`{"method":"PUT","path":"/v1/d"}`, ""},
		"no JSON":     {`POST /v1/documents`, "not an object such as"},
		"cut short":   {`{"method":"POST"`, "not an object such as"},
		"a string":    {`"POST"`, "not an object such as"},
		"unknown":     {`{"method":"POST","path":"/","header":{}}`, `unknown field "header"`},
		"two":         {`{"method":"POST","path":"/"} {}`, "more than one object"},
		"no method":   {`{"path":"/"}`, "no method"},
		"bad method":  {`{"method":"A B","path":"/"}`, "invalid method"},
		"no path":     {`{"method":"POST"}`, `path ""`},
		"a URL":       {`{"method":"POST","path":"http://elsewhere/v1"}`, "is not one such as"},
		"bad escape":  {`{"method":"POST","path":"/%zz"}`, "is not one such as"},
		"two bodies":  {`{"method":"POST","path":"/","body":1,"body_base64":"AAEC"}`, "both body and body_base64"},
		"bad base64":  {`{"method":"POST","path":"/","body_base64":"*"}`, "not an object such as"},
		"bad headers": {`{"method":"POST","path":"/","headers":{"A":1}}`, "not an object such as"},
	} {
		_, err := validation.ParseRequest([]byte(test.line))
		if (err == nil) != (test.wrong == "") || err != nil && !strings.Contains(err.Error(), test.wrong) {
			t.Errorf("%s: %v, want it to say %q", name, err, test.wrong)
		}
	}
}

// The body is sent byte for byte, to the service and nowhere else.
func TestRequestAsHTTP(t *testing.T) {
	t.Parallel()
	r, err := validation.ParseRequest([]byte(`{"method":"POST","path":"/v1/a%2Fb?x=1","headers":{"Tenant":["a","b"]},"body":{"b": 1.0, "a":2}}`))
	if err != nil {
		t.Fatal(err)
	}
	sent, err := r.HTTP(t.Context(), "http://legacy:9000/old")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(sent.Body)
	if err != nil || string(body) != `{"b": 1.0, "a":2}` || sent.URL.String() != "http://legacy:9000/old/v1/a%2Fb?x=1" {
		t.Errorf("%s %s, %v", sent.URL, body, err)
	}
	if sent.Header.Get("Content-Type") != "application/json" || len(sent.Header["Tenant"]) != 2 {
		t.Error(sent.Header)
	}
}
