package ofrep_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sluice/rollout/flags/ofrep"
)

func TestCredentialsAreSent(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/base/ofrep/v1/evaluate/flags/share" || r.Header.Get("Authorization") != "Bearer s3cret" || r.Header.Get("X-Tenant") != "a b" {
			t.Errorf("asked %s with %v", r.URL, r.Header)
		}
		fmt.Fprint(w, `{"value": 12.5}`)
	}))
	t.Cleanup(server.Close)
	p, err := ofrep.New(ofrep.Config{URL: server.URL + "/base/", BearerToken: "s3cret", Header: map[string]string{"X-Tenant": "a b"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := p.FloatEvaluation(t.Context(), "share", -1, nil); got.Value != 12.5 || got.Error() != nil {
		t.Errorf("answer %+v", got)
	}
	p.Shutdown()
}

func TestCredentialsDoNotFollowARedirect(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the other host was asked with %v", r.Header)
	}))
	t.Cleanup(other.Close)
	server := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	t.Cleanup(server.Close)
	p, err := ofrep.New(ofrep.Config{URL: server.URL, Header: map[string]string{"X-API-Key": "s3cret"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := p.FloatEvaluation(t.Context(), "share", -1, nil); got.Value != -1 || got.Error() == nil {
		t.Errorf("answer %+v", got)
	}
}

func TestEndlessAnswerIsCutOff(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for line := strings.Repeat(" ", 1<<16); r.Context().Err() == nil; {
			if _, err := fmt.Fprint(w, line); err != nil {
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	p, err := ofrep.New(ofrep.Config{URL: server.URL, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if got := p.FloatEvaluation(t.Context(), "share", -1, nil); got.Value != -1 || got.Error() == nil {
		t.Errorf("answer %+v", got)
	}
}

func TestMistakesAreNamed(t *testing.T) {
	const url = "http://flagd:8016"
	for _, c := range []struct {
		cfg  ofrep.Config
		want string
	}{
		{ofrep.Config{}, "URL"},
		{ofrep.Config{URL: "flagd:8016"}, "absolute"},
		{ofrep.Config{URL: "ftp://flagd"}, "absolute"},
		{ofrep.Config{URL: "http://:8016"}, "absolute"},
		{ofrep.Config{URL: "http://user:s3cret@flagd"}, "password"},
		{ofrep.Config{URL: url + "?a=b"}, "leave out ?"},
		{ofrep.Config{URL: url, BearerToken: "s3cret\n"}, "line end"},
		{ofrep.Config{URL: url, Header: map[string]string{"X A": "1"}}, `"X A"`},
		{ofrep.Config{URL: url, Header: map[string]string{"X-A": "s3cret\r\nX-B: 2"}}, "X-A"},
		{ofrep.Config{URL: url, BearerToken: "s3cret", Header: map[string]string{"authorization": "s3cret"}}, "exclude"},
		{ofrep.Config{URL: url, Timeout: -1}, "negative"},
	} {
		_, err := ofrep.New(c.cfg)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want %q in it", c.cfg, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("the secret is in the message: %v", err)
		}
	}
}
