package configs_test

import (
	"reflect"
	"strings"
	"testing"
)

func routeAnswering(headers string) string {
	return "routes: [{name: a, pattern: /a, doc_id: 'body:/id', auth: none, workflow: {type: T, task_queue: q}, answer_headers: " + headers + "}]\n"
}

func TestAnswerHeaders(t *testing.T) {
	config, err := load(t, routeAnswering(`{access-control-allow-origin: "*", Vary: "Origin, Accept"}`))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{"Access-Control-Allow-Origin": {"*"}, "Vary": {"Origin, Accept"}}
	if got := config.Routes[0].AnswerFields(); !reflect.DeepEqual(map[string][]string(got), want) {
		t.Errorf("got %v", got)
	}
	for headers, want := range map[string]string{
		`{Connection: close}`:          "Connection is not the route's to set",
		`{transfer-encoding: chunked}`: "transfer-encoding is not the route's to set",
		`{Content-Length: "1"}`:        "Content-Length is not the route's to set",
		`{"X A": b}`:                   "is not the name of a field",
		`{"": b}`:                      "is not the name of a field",
		`{"X-Ä": b}`:                   "is not the name of a field",
		`{X-A: "b\r\nSet-Cookie: c"}`:  "line break",
		`{X-A: "b\0"}`:                 "line break",
		`{X-A: ""}`:                    "has no value",
		`{X-A: b, x-a: c}`:             "X-A is there twice",
	} {
		if _, err := load(t, routeAnswering(headers)); err == nil || !strings.Contains(err.Error(), "routes[0].answer_headers") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want it to say %q", headers, err, want)
		}
	}
}

// A gateway that keeps no connections to legacy is a gateway.
func TestNoConnectionsKept(t *testing.T) {
	if config, err := load(t, "legacy:\n  max_idle: 0\n"); err != nil || config.Legacy.MaxIdle != 0 {
		t.Errorf("got %d, %v", config.Legacy.MaxIdle, err)
	}
}
