package router_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"sluice/router"
)

// numbered is the route that takes integers.
func numbered(t testing.TB) router.Route {
	t.Helper()
	r := route(t, "body:/doc_id")
	var err error
	if r.DocID, err = r.DocID.WithIntegers(); err != nil {
		t.Fatal(err)
	}
	return r
}

// An integer is a doc_id by its decimal text, if it has no other and 64 bits hold it.
func TestIntegerIDs(t *testing.T) {
	for text, id := range map[string]string{
		"7": "7", `"7"`: "7", "0": "0", "-7": "-7", "10": "10", `"07"`: "07",
		"9007199254740993": "9007199254740993", "9223372036854775807": "9223372036854775807",
		"-9223372036854775808": "-9223372036854775808", "9223372036854775808": "9223372036854775808",
		"18446744073709551615": "18446744073709551615",
		"18446744073709551616": "", "-9223372036854775809": "", "123456789012345678901234567890": "",
		"-0": "", "7.0": "", "7.5": "", "7e0": "", "7E2": "", "-0.0": "", "true": "", "null": "", "[7]": "", `{"a":7}`: "",
	} {
		t.Run(text, func(t *testing.T) {
			d := openDoor(t, at(100), rejecting, routes(numbered(t)))
			got := d.post(`{"doc_id": ` + text + ` }`)
			if id == "" {
				if p := got.wantProblem(t, http.StatusBadRequest, "unroutable", "not-a-string"); !strings.Contains(p.Detail, "nor an integer") {
					t.Errorf("detail %q", p.Detail)
				}
				d.wantNothingSent()
				return
			}
			got.want(t, http.StatusOK, "")
			if all := d.temporal.all(); len(all) != 1 || all[0].doc.DocID != id {
				t.Errorf("Temporal got %+v", all)
			}
		})
	}
}

// 7 and "7" are two versions of one document; and a body in a coding is read so too.
func TestAnIntegerAndItsTextAreOneDocument(t *testing.T) {
	d := openDoor(t, at(100), routes(numbered(t)))
	d.post(`{"doc_id":7}`)
	d.post(`{"doc_id":"7"}`)
	d.post(encoded("gzip", `{"doc_id":7,"v":2}`), "Content-Encoding", "gzip")
	if len(d.records.holdings) != 1 || len(d.temporal.all()) != 3 {
		t.Errorf("%d documents, %d runs", len(d.records.holdings), len(d.temporal.all()))
	}
}

// Whatever the parsers, an integer that is taken is one that they read alike.
func TestAnIntegerIsUnambiguousToo(t *testing.T) {
	for body, reason := range map[string]string{`{"doc_id":7,"doc_id":8}`: "duplicated", `{"doc_id":7,"DOC_ID":8}`: "ambiguous-case", `{"doc_id":07}`: "not-json", `{"doc_id":+7}`: "not-json"} {
		d := openDoor(t, at(100), rejecting, routes(numbered(t)))
		d.post(body).wantProblem(t, http.StatusBadRequest, "unroutable", reason)
	}
}

// Who only recognises documents takes the same ones.
func TestAnIntegerIsRecognised(t *testing.T) {
	rec, err := router.NewRecogniser([]router.Route{numbered(t)}, "", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := rec.Document(httptest.NewRequest(http.MethodPost, "/v1/documents", strings.NewReader("")), []byte(`{"doc_id":7}`))
	if err != nil || doc.DocID != "7" {
		t.Errorf("%+v, %v", doc, err)
	}
}

// Only a body has integers: elsewhere the setting would do nothing.
func TestIntegersAreTheBodys(t *testing.T) {
	for _, text := range []string{"path:id", "header:X-Id", "query:id"} {
		at, err := router.ParseLocator(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := at.WithIntegers(); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
