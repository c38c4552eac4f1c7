package legacy

import (
	"net/http"
	"net/url"
	"strings"
)

// target keeps the client's request target byte for byte, under the base path.
func target(base *url.URL, r *http.Request) *url.URL {
	u := &url.URL{Scheme: base.Scheme, Host: base.Host}
	if r.RequestURI == "*" { // it is about the server, not about a path (RFC 9112, 3.2.4)
		u.Opaque = "*"
		return u
	}
	path, query, hasQuery := strings.Cut(originForm(r.RequestURI), "?")
	path = strings.TrimSuffix(base.EscapedPath(), "/") + path
	u.RawQuery, u.ForceQuery = query, hasQuery && query == ""
	if strings.HasPrefix(path, "//") {
		// As Opaque it would read as a host. This way bytes that no path may
		// hold are sent percent-encoded, all others as they are.
		u.Path, u.RawPath = r.URL.Path, path
		return u
	}
	u.Opaque = path
	return u
}

// originForm returns the target as path and query, whatever form it came in.
func originForm(target string) string {
	if strings.HasPrefix(target, "/") {
		return target
	}
	_, rest, _ := strings.Cut(target, "://")
	slash := strings.IndexAny(rest, "/?")
	switch {
	case slash < 0:
		return "/"
	case rest[slash] == '?':
		return "/" + rest[slash:]
	}
	return rest[slash:]
}
