package faults

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func ask(s *Switch, method, body string) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, httptest.NewRequest(method, "/faults", strings.NewReader(body)))
	return answer
}

func TestSettingsAreShownAndReplaced(t *testing.T) {
	s := &Switch{}
	if got := ask(s, http.MethodGet, "").Body.String(); got != `{"latency":"0s","error_rate":0,"differ":0}`+"\n" {
		t.Errorf("at first: %s", got)
	}
	const settings = `{"latency":"50ms","error_rate":0.1,"differ":0.05}` + "\n"
	if got := ask(s, http.MethodPut, settings); got.Code != http.StatusOK || got.Body.String() != settings {
		t.Errorf("put: %d %s", got.Code, got.Body)
	}
	if got := s.Settings(); time.Duration(got.Latency) != 50*time.Millisecond || got.ErrorRate != 0.1 || got.Differ != 0.05 {
		t.Errorf("in force: %+v", got)
	}
	ask(s, http.MethodPut, `{"differ":1}`)
	if got := s.Settings(); got != (Settings{Differ: 1}) {
		t.Errorf("what was left out stays on: %+v", got)
	}
}

func TestBadSettingsChangeNothing(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{"", "EOF"},
		{"[]", "array"},
		{`{"latency":50}`, `such as \"50ms\"`},
		{`{"latency":"soon"}`, "no duration"},
		{`{"latency":"-1s"}`, "must be 0s to 10m0s"},
		{`{"latency":"11m"}`, "must be 0s to 10m0s"},
		{`{"error_rate":1.1}`, "error_rate 1.1 must be 0 to 1"},
		{`{"differ":-0.1}`, "differ -0.1 must be 0 to 1"},
		{`{"error_rate":"0.1"}`, "error_rate"},
		{`{"errorrate":0.1}`, "unknown"},
		{`{"Differ":0.1}`, "unknown"},
		{`{"differ":0.1,"differ":0.2}`, "duplicate"},
		{`{"differ":0.1} {}`, "after"},
		{`{"differ":` + strings.Repeat(" ", maxBody) + `0.1}`, "too large"},
	} {
		s := set(t, Settings{ErrorRate: 0.5})
		answer := ask(s, http.MethodPut, c.body)
		if answer.Code != http.StatusBadRequest || !strings.Contains(answer.Body.String(), c.want) {
			t.Errorf("%.40s: %d %s; want 400 with %q", c.body, answer.Code, answer.Body, c.want)
		}
		if s.Settings() != (Settings{ErrorRate: 0.5}) {
			t.Errorf("%.40s changed the settings", c.body)
		}
	}
}

func TestOtherMethodsAreRefused(t *testing.T) {
	answer := ask(&Switch{}, http.MethodDelete, "")
	if answer.Code != http.StatusMethodNotAllowed || answer.Header().Get("Allow") == "" {
		t.Errorf("%d, Allow %q", answer.Code, answer.Header().Get("Allow"))
	}
}
