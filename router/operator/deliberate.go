package operator

import (
	"mime"
	"net/http"
)

// maxBody bounds what a request for a change may hold, in bytes.
const maxBody = 32 << 10

// deliberate lets through only requests that a program was told to make. A
// browser can be tricked by a foreign page into making one; it then names the
// page's origin, and cannot name JSON without asking first.
func deliberate(next http.HandlerFunc) http.Handler {
	origins := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		switch {
		case len(r.Header.Values("Origin")) > 1 || origins.Check(r) != nil:
			writeProblem(w, problem{Slug: "foreign-origin", Status: http.StatusForbidden,
				Detail: "the request comes from a page of another origin"})
		case err != nil || kind != "application/json":
			w.Header().Set("Accept-Post", "application/json")
			writeProblem(w, problem{Slug: "media-type", Status: http.StatusUnsupportedMediaType,
				Detail: "send Content-Type: application/json"})
		default:
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
			next(w, r)
		}
	})
}
