package router

import (
	"strings"
	"testing"
)

func TestCheckRoutes(t *testing.T) {
	t.Parallel()
	at := func(text string) Locator {
		l, err := ParseLocator(text)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	body, inPath := at("body:/doc_id"), at("path:id")
	for name, c := range map[string]struct {
		routes []Route
		want   string // of the last route; empty: it is sound
	}{
		"not closed":          {[]Route{{Pattern: "/v1/{id", DocID: body}}, "closing delimiter '}' is missing"},
		"star in the middle":  {[]Route{{Pattern: "/v1/*/x", DocID: body}}, "wildcard '*' must be the last"},
		"one name twice":      {[]Route{{Pattern: "/{id}/{id}", DocID: body}}, "duplicate param key"},
		"no expression":       {[]Route{{Pattern: "/v1/{id:[}", DocID: body}}, "invalid regexp"},
		"no slash":            {[]Route{{Pattern: "v1", DocID: body}}, "must begin with a slash"},
		"own prefix":          {[]Route{{Pattern: "/_sluice/x", DocID: body}}, "the gateway's own"},
		"no such part":        {[]Route{{Pattern: "/v1/{ids}", DocID: inPath}}, "has no such part"},
		"such a part":         {[]Route{{Pattern: "/v1/{id:[a-z]{2}}", DocID: inPath}}, ""},
		"same pattern":        {[]Route{{Pattern: "/v1", DocID: body}, {Pattern: "/v1", DocID: body}}, `the same requests as route "0"`},
		"same but for a name": {[]Route{{Pattern: "/v1/{a}", DocID: body}, {Pattern: "/v1/{b}", DocID: body}}, `the same requests as route "0"`},
		"another method":      {[]Route{{Pattern: "/v1", DocID: body, Method: "PUT"}, {Pattern: "/v1", DocID: body}}, ""},
		"a narrower one":      {[]Route{{Pattern: "/v1/{a}", DocID: body}, {Pattern: "/v1/b", DocID: body}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i := range c.routes {
				c.routes[i].Name = string(rune('0' + i))
				if c.routes[i].Method == "" {
					c.routes[i].Method = "POST"
				}
			}
			wrong := CheckRoutes(c.routes)
			last := wrong[len(wrong)-1]
			switch {
			case c.want == "" && last != nil:
				t.Errorf("refused: %v", last)
			case c.want != "" && (last == nil || !strings.Contains(last.Error(), c.want)):
				t.Errorf("got %v, want %q", last, c.want)
			}
			_, err := New(Config{Routes: c.routes, StatusKey: make([]byte, 16)})
			_, recognised := NewRecogniser(c.routes, "", 1<<20)
			if (err == nil) != (c.want == "") || (recognised == nil) != (c.want == "") {
				t.Errorf("New: %v; NewRecogniser: %v", err, recognised)
			}
		})
	}
}
