package router

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-chi/chi/v5"
)

// routed returns the request as the routes are to be matched against it: to
// legacy %64 is a d (RFC 3986, 6.2.2.2), so a route must not be missed for it.
// Nothing is changed in what is forwarded.
func routed(r *http.Request) *http.Request {
	if r.URL.RawPath == "" {
		return r
	}
	match := chi.NewRouteContext()
	match.RoutePath = routePath(r.URL)
	return r.WithContext(context.WithValue(r.Context(), chi.RouteCtxKey, match))
}

// routePath returns the URL's path with only those slashes and percent signs
// escaped that stand within a segment.
func routePath(u *url.URL) string {
	segments := strings.Split(u.RawPath, "/")
	for i, segment := range segments {
		if text, err := url.PathUnescape(segment); err == nil {
			segments[i] = strings.NewReplacer("%", "%25", "/", "%2F").Replace(text)
		}
	}
	return strings.Join(segments, "/")
}

// own reports whether the path is the gateway's, however it was escaped.
func own(u *url.URL) bool {
	return u.Path == Prefix || strings.HasPrefix(u.Path, Prefix+"/")
}
