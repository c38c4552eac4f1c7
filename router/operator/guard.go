package operator

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// TokenKey is the key of the configuration that names the token's file.
const TokenKey = "operator.token_file"

// Guard lets through to next whoever may operate the gateway: who asks from this
// machine, and who bears the token. Without a token there is nobody but the
// former. Probes and scrapes at /livez, /readyz and /metrics need neither.
func Guard(token string, next http.Handler) http.Handler {
	want := sha256.Sum256([]byte(token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case exempt(r.URL.Path), local(r):
			next.ServeHTTP(w, r)
		case token == "":
			writeProblem(w, problem{Slug: "no-token", Status: http.StatusForbidden,
				Detail: "this gateway can only be operated from its own machine, by its address or as localhost, until a token is set: see " + TokenKey + " in its configuration"})
		case !bears(r, want):
			w.Header().Set("WWW-Authenticate", `Bearer realm="sluice"`)
			writeProblem(w, problem{Slug: "unauthorised", Status: http.StatusUnauthorized,
				Detail: "send the gateway's token as Authorization: Bearer; it is in the file that " + TokenKey + " names"})
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// exempt reports whether the path is for everybody.
func exempt(path string) bool {
	return path == "/livez" || path == "/readyz" || path == "/metrics"
}

// bears reports whether the request has the token. How long that takes tells
// nothing of either.
func bears(r *http.Request, want [sha256.Size]byte) bool {
	fields := r.Header.Values("Authorization")
	if len(fields) != 1 {
		return false
	}
	scheme, token, _ := strings.Cut(fields[0], " ")
	got := sha256.Sum256([]byte(strings.TrimSpace(token)))
	return strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(got[:], want[:]) == 1
}

// forwarded are the fields by which a proxy gives itself away.
var forwarded = [...]string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via"}

// local reports whether the request was made on this machine: its peer is the
// loopback interface, and not a proxy that listens for others.
//
// It must also ask for an address or for localhost. A page on the Web can make a
// browser on this machine ask for a name that its owner has since pointed here.
func local(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !peer.Addr().Unmap().IsLoopback() {
		return false
	}
	for _, field := range forwarded {
		if _, there := r.Header[field]; there {
			return false
		}
	}
	return addressed(r.Host)
}

// addressed reports whether a Host field holds an address or localhost.
func addressed(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	_, err := netip.ParseAddr(host)
	return err == nil || host == "" || strings.EqualFold(host, "localhost")
}

// actor names who made the request, as far as that is known.
func actor(r *http.Request) string {
	if local(r) {
		return "loopback"
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	return "token from " + host
}
