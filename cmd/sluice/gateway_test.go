package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
)

// door is a gateway that runs.
type door struct {
	*program
	public, operator string // URLs
	flags            string // its flag file
}

// startGateway starts a gateway in front of legacy, with no Temporal anywhere.
func startGateway(t *testing.T, legacy string, settings ...string) door {
	t.Helper()
	g := beginGateway(t, legacy, settings...)
	served(t, g.operator+"/readyz")
	return g
}

// beginGateway starts one that need not become ready.
func beginGateway(t *testing.T, legacy string, settings ...string) door {
	t.Helper()
	public, operator, flags := freeAddress(t), freeAddress(t), flagFile(t)
	args := []string{"gateway", "-config", shipped(t, "gateway.yaml")}
	for _, setting := range append([]string{
		"listen.public=" + public, "listen.operator=" + operator, "legacy.url=" + legacy,
		"temporal.address=" + freeAddress(t), "rollout.flags.file=" + flags,
		"drain.lame_duck=0s", "temporal.start_timeout=500ms",
	}, settings...) {
		args = append(args, "-set", setting)
	}
	return door{program: start(t, args...), public: "http://" + public, operator: "http://" + operator, flags: flags}
}

// legacyDocument stays on legacy at 10 %: its bucket is 362837.
const legacyDocument = `{"doc_id":"doc-123","text":"Ada Lovelace met Charles Babbage."}`

// echo is a legacy service that answers with what it was asked.
func echo(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/auth" {
			return
		}
		body, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, r.Method+" "+r.RequestURI+" "+string(body))
	}))
	t.Cleanup(server.Close)
	return server
}

// Without Temporal the gateway starts, is ready and serves legacy; a document that
// would be Temporal's falls back, on proof that Temporal did not get it.
func TestLegacyIsServedWhileTemporalIsAway(t *testing.T) {
	t.Parallel()
	g := startGateway(t, echo(t).URL)
	posted := ask(t, http.StatusOK, "POST", g.public+"/v1/documents", legacyDocument)
	if posted.body != "POST /v1/documents "+legacyDocument || posted.header.Get("Rollout-Path") != "legacy" || posted.header.Get("Rollout-Bucket") != "362837" {
		t.Errorf("legacy's answer became %+v", posted)
	}
	if passed := ask(t, http.StatusOK, "GET", g.public+"/anything?else=1", ""); passed.body != "GET /anything?else=1 " {
		t.Errorf("another request's answer became %+v", passed)
	}
	turn(t, g.flags, "full")
	body := legacyDocument
	eventually(t, "the flag file's 100 % is in force", func() bool {
		body += " "
		fallen := ask(t, http.StatusOK, "POST", g.public+"/v1/documents", body)
		return fallen.header.Get("Rollout-Path") == "legacy" && fallen.header.Get("Rollout-Reason") == "fallback" && fallen.body == "POST /v1/documents "+body
	})
	ask(t, http.StatusOK, "GET", g.operator+"/readyz", "")
	ask(t, http.StatusOK, "GET", g.operator+"/livez", "")
	contains(t, "/metrics", ask(t, http.StatusOK, "GET", g.operator+"/metrics", "").body, "gateway_build_info")
}

// problem checks that the answer is one of the gateway's own.
func problem(t *testing.T, r reply) {
	t.Helper()
	if r.header.Get("Content-Type") != "application/problem+json" {
		t.Fatalf("no problem+json: %+v", r)
	}
	members := object(t, r.body)
	if kind, _ := members["type"].(string); !strings.HasPrefix(kind, "urn:sluice:problem:") || members["status"] != float64(r.status) {
		t.Errorf("a problem that says %s", r.body)
	}
}

func TestUnreachableLegacyIsABadGateway(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "http://"+freeAddress(t))
	problem(t, ask(t, http.StatusBadGateway, "POST", g.public+"/v1/documents", legacyDocument))
	problem(t, ask(t, http.StatusBadGateway, "GET", g.public+"/anything", ""))
	ask(t, http.StatusOK, "GET", g.operator+"/readyz", "") // legacy's state is not the gateway's
}

// SIGTERM: the gateway says that it is draining, still serves whoever comes,
// finishes what is under way and ends with 0.
func TestSIGTERMDrains(t *testing.T) {
	t.Parallel()
	began, goOn := make(chan struct{}), make(chan struct{})
	legacy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(began)
			<-goOn
		}
		_, _ = io.WriteString(w, "done")
	}))
	t.Cleanup(legacy.Close)
	g := startGateway(t, legacy.URL, "drain.lame_duck=8s", "drain.timeout=1m")
	slow := make(chan reply, 1)
	go func() {
		r, _ := try("GET", g.public+"/slow", "")
		slow <- r
	}()
	<-began
	g.signal(t, syscall.SIGTERM)
	eventually(t, "/readyz says draining", func() bool {
		r, err := try("GET", g.operator+"/readyz", "")
		return err == nil && r.status == http.StatusServiceUnavailable && strings.Contains(r.body, "draining")
	})
	if r := ask(t, http.StatusOK, "GET", g.public+"/late", ""); r.body != "done" {
		t.Errorf("a request during the drain: %+v", r)
	}
	eventually(t, "the door is closed", func() bool {
		_, err := try("GET", g.public+"/closed", "")
		return err != nil
	})
	select {
	case <-g.done:
		t.Error("the gateway ended before its last request")
	default:
	}
	close(goOn)
	if r := <-slow; r.status != http.StatusOK || r.body != "done" {
		t.Errorf("the request that was under way: %+v", r)
	}
	g.exit(t, 0)
}
