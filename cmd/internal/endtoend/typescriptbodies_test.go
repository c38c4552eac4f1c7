package endtoend_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
)

// threePlaces: the doc_id stands in the body, in a field and in the path.
func (ts *typescript) threePlaces(t *testing.T) {
	a := ts.send(t, http.MethodPost, "/invoices", `{"doc_id": "in the body", "total": 12.5}`)
	a.wantJSON(t, http.StatusCreated, `{"doc_id": "in the body", "total": 12.5, "stored": true, "build": "v1"}`)
	if location := a.header.Get("Location"); location != "/invoices/in%20the%20body" {
		t.Errorf("Location: %s", location)
	}
	if got := stored(t, ts.store, "", "in the body"); string(got) != `{"doc_id":"in the body","total":12.5}` {
		t.Errorf("stored %s", got)
	}
	a = ts.send(t, http.MethodPost, "/scans", "\x00\x01\xff", "X-Document-Id", "in-a-field", "Content-Type", "image/tiff")
	a.wantJSON(t, http.StatusCreated, `{"doc_id": "in-a-field", "bytes": 3}`)
	if a.header.Get("X-Kind") != "scan" || len(a.header["X-Sum"]) != 2 {
		t.Errorf("fields: %v", a.header)
	}
	ts.trial(t, "in-the-path", `{}`).wantJSON(t, http.StatusOK, `{"doc_id": "in-the-path", "run": 1, "attempts": 1}`)
}

// allThatWasAsked: the workflow sees it all, as it was sent.
func (ts *typescript) allThatWasAsked(t *testing.T) {
	a := ts.send(t, http.MethodPut, "/trials/a%2Fb/part%207?echo&x=%20", `{"n": [1, {"m": null}]}`,
		"X-Tenant", "acme", "X-Priority", "high", "X-Priority", "low", "X-Other", "not on the list")
	var input map[string]any
	if err := json.Unmarshal(a.body, &input); err != nil || input["intent"] == "" || input["life"] == 0.0 {
		t.Fatalf("%v: %v", a, err)
	}
	delete(input, "intent")
	delete(input, "life")
	rest, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	answer{status: a.status, header: a.header, body: rest}.wantJSON(t, http.StatusOK, `{
		"doc_id": "a/b", "route": "trials", "tenant": "acme", "method": "PUT",
		"path": "/trials/a%2Fb/part%207", "path_parts": {"id": "a/b", "section": "part 7"}, "query": "echo&x=%20",
		"content_type": "application/json", "headers": {"X-Priority": ["high", "low"]},
		"body": {"n": [1, {"m": null}]}, "shadow": false}`)
}

// echoed returns what the workflow was given as a body.
func (ts *typescript) echoed(t *testing.T, target, body string, fields ...string) (value json.RawMessage, encoding string) {
	t.Helper()
	a := ts.send(t, http.MethodPut, target+"?echo", body, fields...)
	var input struct {
		Body         json.RawMessage `json:"body"`
		BodyEncoding string          `json:"body_encoding"`
	}
	if err := json.Unmarshal(a.body, &input); err != nil || a.status != http.StatusOK || a.path() != "temporal" {
		t.Fatalf("%s: %v: %v", target, a, err)
	}
	return input.Body, input.BodyEncoding
}

// bodies: what is no JSON by its media type is handed over byte for byte, and so is all
// that a route with `body: bytes` gets.
func (ts *typescript) bodies(t *testing.T) {
	for name, row := range map[string]struct{ target, mediaType, body, value, encoding string }{
		"json":           {"/trials/json/all", "application/json", `{"v": [1, "a"]}`, `{"v":[1,"a"]}`, ""},
		"json by suffix": {"/trials/suffix/all", "application/merge-patch+json", `{"v": null}`, `{"v":null}`, ""},
		"octets":         {"/trials/octets/all", "application/octet-stream", `9007199254740993`, "", "base64"},
		"two members":    {"/trials/two/all", "text/plain", `{"v":1.10,"v":2}`, "", "base64"},
		"no JSON":        {"/trials/none/all", "application/json", `{"v":`, "", "base64"},
		"no media type":  {"/trials/untyped/all", "", `{"v":1}`, "", "base64"},
		"body: json":     {"/endings/json", "text/plain", `{"v": 1}`, `{"v":1}`, ""},
	} {
		fields := []string{"Content-Type", row.mediaType}
		value, encoding := ts.echoed(t, row.target, row.body, fields...)
		want := row.value
		if row.encoding != "" {
			want = `"` + base64.StdEncoding.EncodeToString([]byte(row.body)) + `"`
		}
		if string(value) != want || encoding != row.encoding {
			t.Errorf("%s: got %s in %q, want %s in %q", name, value, encoding, want, row.encoding)
		}
	}
	for id, body := range map[string]string{
		"integer": `9007199254740993`, "members": `{"v":1.10,"v":2}`, "blanks": " {\n\"v\" : 1 } ", "nothing": "", "octets": "\x00\xff\xfe\r\n\xc3\x28",
	} {
		for _, mediaType := range []string{"application/octet-stream", "application/json"} {
			docID := id + " as " + mediaType
			a := ts.send(t, http.MethodPost, "/scans", body, "X-Document-Id", docID, "Content-Type", mediaType)
			if got := stored(t, ts.store, "", docID); a.status != http.StatusCreated || string(got) != body {
				t.Errorf("%s: %v, stored %q", docID, a, got)
			}
		}
	}
}

// codings: the body comes in its codings, and an activity undoes them, or refuses with
// an answer of its own.
func (ts *typescript) codings(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write([]byte(`{"v": 1}`)); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	a := ts.send(t, http.MethodPost, "/scans", packed.String(), "X-Document-Id", "packed", "Content-Encoding", "gzip")
	if got := stored(t, ts.store, "", "packed"); a.status != http.StatusCreated || string(got) != `{"v": 1}` {
		t.Errorf("%v, stored %q", a, got)
	}
	a = ts.send(t, http.MethodPost, "/scans", "whatever", "X-Document-Id", "unknown", "Content-Encoding", "compress")
	a.wantJSON(t, http.StatusUnsupportedMediaType, `{"error": "coding", "coding": "compress"}`)
	if a.header.Get("Accept-Encoding") != "gzip, deflate, br" || stored(t, ts.store, "", "unknown") != nil {
		t.Errorf("%v, %v", a, a.header)
	}
}

// large: 3 MiB go through the claim check both ways, by the update and by the close.
func (ts *typescript) large(t *testing.T) {
	scan := make([]byte, 3<<20)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(scan) // never fails
	a := ts.send(t, http.MethodPost, "/scans", string(scan), "X-Document-Id", "large", "Content-Type", "image/tiff")
	a.wantJSON(t, http.StatusCreated, `{"doc_id": "large", "bytes": 3145728}`)
	if !bytes.Equal(stored(t, ts.store, "", "large"), scan) {
		t.Error("the large scan is stored as something else")
	}
	text := `{"text":"` + strings.Repeat("A long text with some words, é and \\u00e9. ", 60_000) + `"}`
	for _, target := range []string{"/trials/large/all", "/endings/large"} {
		value, encoding := ts.echoed(t, target, text)
		if want := strings.ReplaceAll(text, `\u00e9`, "é"); string(value) != want || encoding != "" {
			t.Errorf("%s: %d bytes in %q came back of %d", target, len(value), encoding, len(want))
		}
	}
}

// dryRun: a workflow that is told of the query can leave the stores alone.
func (ts *typescript) dryRun(t *testing.T) {
	a := ts.send(t, http.MethodPost, "/invoices?dry_run=true", `{"doc_id": "dry", "total": 1}`)
	a.wantJSON(t, http.StatusOK, `{"doc_id": "dry", "total": 1, "stored": false}`)
	if got := stored(t, ts.store, "", "dry"); got != nil {
		t.Errorf("stored %s", got)
	}
	a = ts.send(t, http.MethodPost, "/invoices", `{"doc_id": "dry", "total": 1}`)
	if got := stored(t, ts.store, "", "dry"); a.status != http.StatusCreated || got == nil {
		t.Errorf("and in earnest: %v, stored %s", a, got)
	}
}
