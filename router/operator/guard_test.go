package operator_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"sluice/router/operator"
)

// guarded returns the status that a request gets; 200 if it was let through.
func guarded(t *testing.T, token string, edits ...func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest("GET", "http://127.0.0.1:8081/api/claims", nil)
	r.RemoteAddr = "127.0.0.1:50000"
	for _, edit := range edits {
		edit(r)
	}
	w := httptest.NewRecorder()
	operator.Guard(token, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, r)
	return w
}

func from(peer string) func(*http.Request) { return func(r *http.Request) { r.RemoteAddr = peer } }
func host(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }
func path(path string) func(*http.Request) { return func(r *http.Request) { r.URL.Path = path } }
func with(field string, values ...string) func(*http.Request) {
	return func(r *http.Request) { r.Header[field] = values }
}

const secret = "0123456789abcdef"

var far = from("10.0.0.7:50000")

func TestWhoIsLetIn(t *testing.T) {
	bearer := with("Authorization", "Bearer "+secret)
	for name, edits := range map[string][]func(*http.Request){
		"IPv4":                      {},
		"IPv6":                      {from("[::1]:50000"), host("[::1]:8081")},
		"IPv4 in IPv6":              {from("[::ffff:127.0.0.1]:50000")},
		"all of 127/8":              {from("127.8.9.10:1")},
		"localhost":                 {host("LocalHost:9000")},
		"no port":                   {host("localhost")},
		"no Host, as HTTP/1.0":      {host("")},
		"the token":                 {far, bearer},
		"the token, by a name":      {host("gateway.example:8081"), bearer},
		"the token, by a proxy":     {with("X-Forwarded-For", "10.0.0.7"), bearer},
		"the scheme in other case":  {far, with("Authorization", "bearer "+secret)},
		"/livez from anywhere":      {far, path("/livez")},
		"/readyz from anywhere":     {far, path("/readyz")},
		"/metrics from anywhere":    {far, path("/metrics"), host("gateway.example"), with("X-Forwarded-For", "10.0.0.7")},
		"no address of a peer, but": {from("@"), bearer},
	} {
		if w := guarded(t, secret, edits...); w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

// strangers are none of those.
var strangers = map[string][]func(*http.Request){
	"from afar":               {far},
	"from afar over IPv6":     {from("[2001:db8::1]:1")},
	"no address of a peer":    {from("@")},
	"no peer":                 {from("")},
	"a name for a peer":       {from("localhost:50000")},
	"almost loopback":         {from("128.0.0.1:50000")},
	"X-Forwarded-For":         {with("X-Forwarded-For", "127.0.0.1")},
	"an empty X-Forwarded-*":  {with("X-Forwarded-For", "")},
	"Forwarded":               {with("Forwarded", "for=127.0.0.1")},
	"X-Real-IP":               {with("X-Real-Ip", "127.0.0.1")},
	"Via":                     {with("Via", "1.1 nginx")},
	"a rebound name":          {host("evil.example:8081")},
	"a name like localhost":   {host("localhost.evil.example")},
	"a name like an address":  {host("127.0.0.1.evil.example:80")},
	"another Host than peer":  {far, host("127.0.0.1:8081")},
	"another password":        {far, with("Authorization", "Bearer "+strings.ToUpper(secret))},
	"a beginning":             {far, with("Authorization", "Bearer "+secret[:15])},
	"more":                    {far, with("Authorization", "Bearer "+secret+"0")},
	"an empty token":          {far, with("Authorization", "Bearer ")},
	"no token":                {far, with("Authorization", "Bearer")},
	"another scheme":          {far, with("Authorization", "Basic "+secret)},
	"no scheme":               {far, with("Authorization", secret)},
	"two":                     {far, with("Authorization", "Bearer "+secret, "Bearer "+secret)},
	"below an open path":      {far, path("/metrics/")},
	"an open path in a path":  {far, path("/api/claims/../../livez")},
	"an open path in letters": {far, path("/LIVEZ")},
	"a doubled slash":         {far, path("//livez")},
	"an end of an open path":  {far, path("/api/livez")},
	"a profile":               {far, path("/debug/pprof/heap")},
	"the root":                {far, path("/")},
}

func TestStrangersAreAskedForTheToken(t *testing.T) {
	for name, edits := range strangers {
		w := guarded(t, secret, edits...)
		if w.Code != http.StatusUnauthorized || !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if strings.Contains(w.Body.String(), secret) {
			t.Errorf("%s: the token is in the answer", name)
		}
	}
}

// Without a token no header opens the gateway, least of all an empty one.
func TestWithoutATokenStrangersAreToldWhichKeyToSet(t *testing.T) {
	for name, edits := range strangers {
		w := guarded(t, "", edits...)
		if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "operator.token_file") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if w := guarded(t, ""); w.Code != http.StatusOK {
		t.Errorf("from this machine: %d %s", w.Code, w.Body)
	}
}
