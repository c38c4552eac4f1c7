package router_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"sluice/router"
)

// outbound stands for legacy's Forwarder, which is the one that decides: it leaves
// out what Connection names and says whose request it is.
func outbound(r *http.Request) (http.Header, string) {
	fields := r.Header.Clone()
	for _, value := range r.Header["Connection"] {
		for name := range strings.SplitSeq(value, ",") {
			fields.Del(strings.TrimSpace(name))
		}
	}
	fields.Set("X-Forwarded-For", "192.0.2.1, 192.0.2.2")
	fields.Set("X-Forwarded-Host", "door.example")
	fields.Set("X-Forwarded-Proto", "https")
	fields["User-Agent"] = r.Header["User-Agent"]
	return fields, "legacy.example"
}

func checkAt(target *url.URL, timeout time.Duration) *router.Check {
	return router.NewCheck(router.CheckConfig{URL: target, Timeout: timeout, Outbound: outbound})
}

// checkedDoor is a door at 100 % whose documents are checked at a real server.
func checkedDoor(t *testing.T, timeout time.Duration, check http.HandlerFunc, options ...func(*setup)) *door {
	t.Helper()
	server := httptest.NewServer(check)
	t.Cleanup(server.Close)
	target, err := url.Parse(server.URL + "/auth?for=documents")
	if err != nil {
		t.Fatal(err)
	}
	return openDoor(t, append([]func(*setup){at(100), guarded(checkAt(target, timeout))}, options...)...)
}

func TestCheckAnswers(t *testing.T) {
	for _, status := range []int{200, 201, 204, 299} {
		d := checkedDoor(t, patience, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		d.post(document("a")).want(t, http.StatusOK, `{"by":"temporal"}`)
	}
	for _, status := range []int{300, 302, 304, 401, 403, 404, 429, 500, 503} {
		d := checkedDoor(t, patience, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/login")
			w.Header().Set("X-Why", "because")
			w.WriteHeader(status)
			io.WriteString(w, "no")
		})
		got := d.post(document("a"))
		body := "no"
		if status == http.StatusNotModified {
			body = ""
		}
		got.want(t, status, body)
		got.wantFields(t, "Location", "/login", "X-Why", "because")
		d.wantNothingSent()
		if got := d.observer.authChecks(); got != "[denied]" {
			t.Errorf("%d: checks %s", status, got)
		}
	}
}

// A refusal need not be held in memory at any length.
func TestLongRefusalIsCut(t *testing.T) {
	d := checkedDoor(t, patience, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, strings.Repeat("x", 1<<20))
	})
	if got := d.post(document("a")); got.status != http.StatusForbidden || len(got.body) != 64<<10 {
		t.Errorf("answer %d of %d bytes", got.status, len(got.body))
	}
}

func TestCheckWithoutAnswerFailsClosed(t *testing.T) {
	for name, row := range map[string]struct {
		timeout time.Duration
		check   http.HandlerFunc
	}{
		"cut off": {patience, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
		"cut off within a yes": {patience, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "9")
			io.WriteString(w, "yes")
		}},
		"too late": {50 * time.Millisecond, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
		"too late for the rest of a yes": {50 * time.Millisecond, func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "yes")
			http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			d := checkedDoor(t, row.timeout, row.check)
			d.post(document("a")).wantProblem(t, http.StatusServiceUnavailable, "authorisation-unavailable", "")
			d.wantNothingSent()
			if got := d.observer.authChecks(); got != "[error]" {
				t.Errorf("checks %s", got)
			}
		})
	}
	t.Run("nobody there", func(t *testing.T) {
		gone, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		gone.Close()
		d := openDoor(t, at(100), guarded(checkAt(&url.URL{Scheme: "http", Host: gone.Addr().String()}, patience)))
		d.post(document("a")).wantProblem(t, http.StatusServiceUnavailable, "authorisation-unavailable", "")
		d.wantNothingSent()
	})
}

// askedWith sends a document with the given head and returns what the check saw.
func askedWith(t *testing.T, fields ...string) *http.Request {
	t.Helper()
	asked := make(chan *http.Request, 2)
	d := checkedDoor(t, patience, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // an error leaves it short, which shows
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		asked <- r
	})
	c := d.dial()
	c.send("POST /v1/%64ocuments?a=1;b=%zz HTTP/1.1\r\nHost: door.example\r\nContent-Length: 14\r\n" +
		strings.Join(fields, "\r\n") + "\r\n\r\n" + `{"doc_id":"a"}`)
	c.answer().want(t, http.StatusOK, `{"by":"temporal"}`)
	if len(asked) != 1 {
		t.Fatalf("the check was asked %d times", len(asked))
	}
	return <-asked
}

func TestWhatTheCheckIsAsked(t *testing.T) {
	r := askedWith(t, "Authorization: Bearer a", "Cookie: a=b", "Cookie: c=d", "X-Tenant: t", "User-Agent: u", "Content-Type: application/json")
	if body, _ := io.ReadAll(r.Body); r.Method != http.MethodGet || r.RequestURI != "/auth?for=documents" || len(body) > 0 {
		t.Errorf("asked %s %s %q", r.Method, r.RequestURI, body)
	}
	answer{header: r.Header}.wantFields(t,
		"Authorization", "Bearer a", "Cookie", "a=b | c=d", "X-Tenant", "t", "User-Agent", "u",
		"X-Forwarded-Method", "POST", "X-Forwarded-Uri", "/v1/%64ocuments?a=1;b=%zz", "X-Forwarded-Host", "door.example",
		"X-Forwarded-For", "192.0.2.1, 192.0.2.2", "X-Forwarded-Proto", "https",
		"X-Original-Method", "POST", "X-Original-Uri", "/v1/%64ocuments?a=1;b=%zz", "X-Original-Url", "https://door.example/v1/%64ocuments?a=1;b=%zz")
	if strings.Contains(r.Host, "example") {
		t.Errorf("another's check is asked with Host %q", r.Host)
	}
}

// Legacy is asked as it is asked itself: by whoever speaks to it, with its Host.
func TestCheckAtLegacy(t *testing.T) {
	for status, want := range map[int]int{http.StatusNoContent: http.StatusOK, http.StatusUnauthorized: http.StatusUnauthorized} {
		asked := make(chan *http.Request, 2)
		check := router.NewCheck(router.CheckConfig{
			URL: &url.URL{Scheme: "http", Host: "legacy:9000", Path: "/auth"}, Timeout: patience, Outbound: outbound,
			Ask: func(ctx context.Context, r, question *http.Request) (*http.Response, error) {
				if _, limited := ctx.Deadline(); !limited || r.URL.Path != "/v1/documents" {
					t.Errorf("asked about %s without a limit, or about another request", r.URL)
				}
				asked <- question
				return &http.Response{StatusCode: status, Header: http.Header{"Www-Authenticate": {"NTLM"}}, Body: http.NoBody}, nil
			},
		})
		d := openDoor(t, at(100), guarded(check))
		got := d.post(document("a"), "Authorization", "NTLM abc")
		got.want(t, want, "")
		if q := <-asked; q.Host != "legacy.example" || q.URL.Path != "/auth" || q.Header.Get("Authorization") != "NTLM abc" {
			t.Errorf("asked %s of Host %q with %v", q.URL, q.Host, q.Header)
		}
	}
}

// Who is asked elsewhere cannot know a connection to legacy.
func TestCheckElsewhereIsNotAskedWithBoundCredentials(t *testing.T) {
	for _, credentials := range []string{"NTLM abc", "negotiate abc"} {
		d := checkedDoor(t, patience, func(http.ResponseWriter, *http.Request) { t.Error("the check was asked") })
		d.post(document("a"), "Authorization", credentials).wantProblem(t, http.StatusForbidden, "authorisation-bound", "")
		d.wantNothingSent()
		if got := d.observer.authChecks(); got != "[denied]" {
			t.Errorf("checks %s", got)
		}
	}
}

// What concerns the body, the connection or the document says nothing of the
// client's right; what only a proxy may say, a client may not.
func TestWhatTheCheckIsNotTold(t *testing.T) {
	for _, field := range []string{
		"Connection: keep-alive", "Keep-Alive: a", "Proxy-Connection: a", "Proxy-Authorization: a", "Te: trailers",
		"Trailer: X-A", "Upgrade: a", "Http2-Settings: a", "Content-Encoding: identity",
		"Idempotency-Key: a", "X-Idempotency-Key: a", "If-None-Match: *", "If-Match: a", "Range: bytes=0-1",
	} {
		t.Run(field, func(t *testing.T) {
			name, _, _ := strings.Cut(field, ":")
			asked := askedWith(t, field)
			if got := asked.Header[name]; len(got) > 0 || asked.ContentLength > 0 {
				t.Errorf("the check was told %s: %q, and a length of %d", name, got, asked.ContentLength)
			}
		})
	}
	spoofed := askedWith(t, "X-Forwarded-Method: GET", "X-Forwarded-Uri: /public", "X-Forwarded-Host: trusted.example",
		"X-Original-Method: GET", "X-Original-Url: http://a/public", "X-Original-Uri: /public", "X_Original_Method: GET", "X_Forwarded-Uri: /public",
		"X-Tenant: mine", "X_Tenant: victim", "X_Other: a")
	for name := range spoofed.Header {
		if strings.Contains(name, "_") && name != "X_other" {
			t.Errorf("the check was told %s beside the field that it may take it for", name)
		}
	}
	answer{header: spoofed.Header}.wantFields(t,
		"X-Forwarded-Method", "POST", "X-Forwarded-Uri", "/v1/%64ocuments?a=1;b=%zz", "X-Forwarded-Host", "door.example")
}

// A client could keep its tenant from the check and still hand it to the
// workflow, by calling it a field of the connection.
func TestConnectionHidesAFieldFromAll(t *testing.T) {
	d := checkedDoor(t, patience, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Tenant") != "" || r.Header.Get("X-Forwarded-Method") != http.MethodPost {
			w.WriteHeader(http.StatusForbidden)
		}
	}, func(s *setup) {
		s.TenantHeader, s.Routes[0].Headers = "X-Tenant", []string{"x-tenant", "x-ours"}
	})
	for _, fields := range [][]string{
		{"Connection", "keep-alive, x-tenant, X-Forwarded-Method", "X-Tenant", "victim", "X-Ours", "a"},
		{"X-Ours", "a"},
	} {
		d.post(document("a"), fields...).want(t, http.StatusOK, "")
	}
	d.post(document("a"), "X-Tenant", "victim").want(t, http.StatusForbidden, "")
	got := d.temporal.all()
	if len(got) != 1 || len(got[0].doc.Header["X-Tenant"]) > 0 || got[0].doc.Header["X-Ours"][0] != "a" {
		t.Fatalf("Temporal got %+v", got)
	}
	if first, second := d.observer.next(), d.observer.next(); first.Intent != second.Intent {
		t.Error("a field of the connection sets intents apart")
	}
}
