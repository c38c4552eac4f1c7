package router_test

import (
	"net/http"
	"strings"
	"testing"

	"sluice/router"
)

func TestUnsoundConfiguration(t *testing.T) {
	good := router.Route{Name: "documents", Method: http.MethodPost, Pattern: "/v1/documents"}
	byPath, err := router.ParseLocator("path:id")
	if err != nil {
		t.Fatal(err)
	}
	with := func(change func(*router.Route)) router.Config {
		r := good
		change(&r)
		return router.Config{Routes: []router.Route{r}, StatusKey: make([]byte, 16)}
	}
	if _, err := router.New(with(func(*router.Route) {})); err != nil {
		t.Fatal(err)
	}
	for word, config := range map[string]router.Config{
		"16 bytes":      {Routes: []router.Route{good}, StatusKey: make([]byte, 15)},
		"no name":       with(func(r *router.Route) { r.Name = "" }),
		`method "GET"`:  with(func(r *router.Route) { r.Method = http.MethodGet }),
		`method "post"`: with(func(r *router.Route) { r.Method = "post" }),
		"with a slash":  with(func(r *router.Route) { r.Pattern = "v1/documents" }),
		"gateway's own": with(func(r *router.Route) { r.Pattern = "/_sluice/documents" }),
		"path:id":       with(func(r *router.Route) { r.DocID = byPath }),
	} {
		if _, err := router.New(config); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("error %v, want one about %q", err, word)
		}
	}
}

// Several routes, methods and places at once: each document is its route's.
func TestRoutes(t *testing.T) {
	put := located{locator: "path:id"}.route(t)
	put.Name, put.Method = "put", http.MethodPut
	patch := route(t, "header:X-Doc-Id")
	patch.Name, patch.Method, patch.Pattern = "patch", http.MethodPatch, "/v1/{kind:[a-z]+}/now"
	d := openDoor(t, at(100), routes(route(t, "body:/doc_id"), put, patch))
	d.send(http.MethodPost, "/v1/documents", document("a")).want(t, http.StatusOK, "")
	d.send(http.MethodPut, "/v1/documents/b", "").want(t, http.StatusOK, "")
	d.send(http.MethodPatch, "/v1/notes/now", "", "X-Doc-Id", "c").want(t, http.StatusOK, "")
	d.send(http.MethodPatch, "/v1/NOTES/now", "", "X-Doc-Id", "d").want(t, http.StatusOK, "by legacy")
	got := d.temporal.all()
	for i, want := range []struct{ route, id string }{{"documents", "a"}, {"put", "b"}, {"patch", "c"}} {
		if len(got) != 3 || got[i].doc.Route != want.route || got[i].doc.DocID != want.id {
			t.Fatalf("Temporal got %+v", got)
		}
	}
}
