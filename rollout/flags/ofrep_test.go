package flags_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sluice/rollout/flags"
	"sluice/rollout/flags/ofrep"
)

// service is a flag service that speaks OFREP. answer may be replaced while it
// serves; it gets the flag's key.
type service struct {
	*httptest.Server
	answer atomic.Pointer[func(http.ResponseWriter, *http.Request, string)]
}

func newService(t *testing.T) *service {
	t.Helper()
	s := &service{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /ofrep/v1/evaluate/flags/{key}", func(w http.ResponseWriter, r *http.Request) {
		var asked struct {
			Context map[string]any `json:"context"`
		}
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || asked.Context["targetingKey"] != "gateway" {
			t.Errorf("asked with %v, %v", asked, err)
		}
		(*s.answer.Load())(w, r, r.PathValue("key"))
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func (s *service) set(answer func(w http.ResponseWriter, r *http.Request, key string)) {
	s.answer.Store(&answer)
}

// values answers with JSON values by flag; a flag without one is not found.
func (s *service) values(values map[string]string) {
	s.set(func(w http.ResponseWriter, _ *http.Request, key string) {
		value, ok := values[key]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprintf(w, `{"key": %q, "errorCode": "FLAG_NOT_FOUND"}`, key)
			return
		}
		fmt.Fprintf(w, `{"key": %q, "value": %s, "reason": "STATIC", "variant": "v"}`, key, value)
	})
}

func (s *service) healthy() {
	s.values(map[string]string{flags.Rollout: "25", flags.Shadow: "12.5", flags.Kill: "false"})
}

// follow starts a reader of the service that reads often.
func (s *service) follow(t *testing.T, observer flags.Observer) *flags.Reader {
	t.Helper()
	provider, err := ofrep.New(ofrep.Config{URL: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	return start(t, flags.Config{Provider: provider, Observer: observer, Poll: 5 * time.Millisecond})
}

func TestFlagServiceIsFollowed(t *testing.T) {
	s := newService(t)
	s.healthy()
	r := s.follow(t, nil)
	if got := r.Policy(); got.Flag != percent(t, 25) || got.Shadow != percent(t, 12.5) || got.Kill {
		t.Fatalf("policy %+v", got)
	}
	s.values(map[string]string{flags.Rollout: "26.0", flags.Shadow: "0", flags.Kill: "true"})
	within(t, 5*time.Second, "the edit is in force", func() bool {
		got := r.Policy()
		return got.Flag == percent(t, 26) && got.Shadow == 0 && got.Kill
	})
}

func TestBadFlagServiceKeepsTheLastGoodValues(t *testing.T) {
	status := func(code int, body string) func(http.ResponseWriter, *http.Request, string) {
		return func(w http.ResponseWriter, _ *http.Request, _ string) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(code)
			fmt.Fprint(w, body)
		}
	}
	value := func(text string) func(http.ResponseWriter, *http.Request, string) { return status(200, text) }
	cases := map[string]struct {
		answer func(http.ResponseWriter, *http.Request, string)
		reason flags.Reason
		text   string
	}{
		"missing":        {status(404, `{"errorCode": "FLAG_NOT_FOUND"}`), flags.ReasonMissing, "does not exist"},
		"wrong type":     {value(`{"value": "25", "reason": "STATIC"}`), flags.ReasonWrongType, "25"},
		"null":           {value(`{"value": null}`), flags.ReasonWrongType, ""},
		"no value":       {value(`{"reason": "DEFAULT"}`), flags.ReasonWrongType, ""},
		"disabled":       {value(`{"value": 99, "reason": "DISABLED", "variant": "v"}`), flags.ReasonDisabled, "disabled"},
		"not JSON":       {value(`<html>`), flags.ReasonBroken, "parsing"},
		"cut off":        {value(`{"value": 2`), flags.ReasonBroken, "parsing"},
		"parse error":    {status(400, `{"errorCode": "PARSE_ERROR", "errorDetails": "bad rule"}`), flags.ReasonBroken, "bad rule"},
		"500":            {status(500, `{"errorDetails": "down"}`), flags.ReasonUnavailable, "500 Internal Server Error"},
		"500 of a proxy": {status(502, `<html>Bad Gateway</html>`), flags.ReasonUnavailable, "502 Bad Gateway"},
		"rate limit":     {status(429, ``), flags.ReasonUnavailable, "rate limit"},
		"unauthorised":   {status(401, ``), flags.ReasonUnavailable, "auth"},
		"redirect": {func(w http.ResponseWriter, r *http.Request, _ string) {
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		}, flags.ReasonUnavailable, "302"},
		"hang-up": {func(http.ResponseWriter, *http.Request, string) { panic(http.ErrAbortHandler) }, flags.ReasonUnavailable, "EOF"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s, seen := newService(t), &rejects{}
			s.healthy()
			r := s.follow(t, seen)
			before := r.Policy()
			s.set(c.answer)
			within(t, 5*time.Second, "each flag is rejected", func() bool {
				for _, key := range flags.Keys() {
					if seen.of(key, c.reason) < 2 {
						return false
					}
				}
				return true
			})
			if got := statusOf(t, r, flags.Rollout); !strings.Contains(got.Text, c.text) || seen.kinds() != 3 {
				t.Errorf("rejects %v with %q, want only %q with %q", seen.count, got.Text, c.reason, c.text)
			}
			if r.Policy() != before {
				t.Errorf("policy %+v, want %+v", r.Policy(), before)
			}
			s.healthy()
			within(t, 5*time.Second, "the flags can be used again", func() bool { return !statusOf(t, r, flags.Kill).Rejected })
		})
	}
}

func TestOutOfRangeFromTheFlagService(t *testing.T) {
	s, seen := newService(t), &rejects{}
	s.healthy()
	r := s.follow(t, seen)
	s.values(map[string]string{flags.Rollout: "100.5", flags.Shadow: "-1", flags.Kill: "false"})
	within(t, 5*time.Second, "both are rejected", func() bool {
		return seen.of(flags.Rollout, flags.ReasonOutOfRange) > 0 && seen.of(flags.Shadow, flags.ReasonOutOfRange) > 0
	})
	if got := r.Policy(); got.Flag != percent(t, 25) || got.Shadow != percent(t, 12.5) {
		t.Errorf("policy %+v", got)
	}
}

func TestFlagServiceThatIsDownAtStart(t *testing.T) {
	s, seen := newService(t), &rejects{}
	s.Server.Close()
	r := s.follow(t, seen)
	if got := r.Policy(); got.Exposure() != 0 {
		t.Errorf("policy %+v", got)
	}
	if got := statusOf(t, r, flags.Kill); got.Reason != flags.ReasonUnavailable || !strings.Contains(got.Text, "connection refused") {
		t.Errorf("status %+v", got)
	}
}

// The service takes ten seconds; the provider would wait for its own timeout.
func TestSlowFlagServiceMeetsTheDeadline(t *testing.T) {
	s, seen := newService(t), &rejects{}
	s.set(func(_ http.ResponseWriter, r *http.Request, _ string) {
		select {
		case <-r.Context().Done():
		case <-time.After(10 * time.Second):
		}
	})
	provider, err := ofrep.New(ofrep.Config{URL: s.URL, Timeout: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	r := start(t, flags.Config{Provider: provider, Observer: seen, Deadline: 20 * time.Millisecond})
	for _, key := range flags.Keys() {
		if seen.of(key, flags.ReasonTimeout) != 1 {
			t.Errorf("rejects of %s: %v, want one timeout", key, seen.count)
		}
	}
	s.healthy()
	within(t, 5*time.Second, "the service is used once it is fast", func() bool { return r.Policy().Flag == percent(t, 25) })
}
