package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"go.uber.org/zap"

	"sluice/rollout"
	"sluice/rollout/audit"
	"sluice/router/operator"
)

const testToken = "0123456789abcdef"

// books are the claims of a gateway, in memory.
type books struct {
	mu       sync.Mutex
	holdings map[string]*rollout.Holding // guarded by mu
}

func (b *books) Open(_ context.Context, visit func(*rollout.Holding) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, h := range b.holdings {
		if err := visit(h); err != nil {
			return err
		}
	}
	return nil
}

func (b *books) Get(_ context.Context, docID string) (*rollout.Holding, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if h := b.holdings[docID]; h != nil {
		return h, nil
	}
	return &rollout.Holding{DocID: docID}, nil
}

func (b *books) Force(ctx context.Context, docID string, intent rollout.Intent, life uint64, state rollout.ClaimState) error {
	h, _ := b.Get(ctx, docID)
	return h.Force(intent, life, state, rollout.Instant{Now: time.Now()})
}

func (b *books) Suspects(_ string, intent rollout.Intent, _ uint64) bool { return intent == "suspect" }

func (b *books) Stalled(_ context.Context, _, docID string, _ rollout.Intent, _ uint64) string {
	if docID == "b" {
		return "its workflow task failed 7 times: oops"
	}
	return ""
}

// gatewayWith serves the operator API over these claims. far: its peers count as
// strangers.
func gatewayWith(t *testing.T, far bool, holdings ...*rollout.Holding) (url string, record *audit.Log) {
	t.Helper()
	record, err := audit.Open(filepath.Join(t.TempDir(), "audit.jsonl"), zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { record.Close() })
	b := &books{holdings: map[string]*rollout.Holding{}}
	for _, h := range holdings {
		b.holdings[h.DocID] = h
	}
	handler := operator.Guard(testToken, operator.New(operator.Config{Records: b, Claims: b, Audit: record, Log: zap.NewNop(),
		Limits: operator.Limits{Start: time.Hour, Legacy: time.Hour, Horizon: time.Hour}}))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if far {
			r.RemoteAddr = "10.0.0.7:50000"
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, record
}

func holding(docID string, claims ...rollout.Claim) *rollout.Holding {
	for i := range claims {
		claims[i].Route, claims[i].Life, claims[i].Owner = "documents", 7, "gw-1"
		claims[i].Born = time.Now().Add(-90 * time.Second).UnixMilli()
	}
	return &rollout.Holding{DocID: docID, Claims: claims}
}

func unsettled(intent rollout.Intent) rollout.Claim {
	return rollout.Claim{Intent: intent, Path: rollout.Temporal, Attempts: 2, Unsettled: 1}
}

// sluice runs the command, and checks its exit code and that a failure ends in a
// hint.
func sluice(t *testing.T, code int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	if got := run(context.Background(), args, &out, &errs); got != code {
		t.Errorf("sluice %q: exit code %d instead of %d\n%s%s", args, got, code, out.String(), errs.String())
	}
	if lines := strings.Split(strings.TrimSpace(errs.String()), "\n"); code != 0 && !strings.HasPrefix(lines[len(lines)-1], "hint: ") {
		t.Errorf("sluice %q: no hint at the end:\n%s", args, errs.String())
	}
	return out.String(), errs.String()
}

// What is merely under way is in neither list; why the others are is said.
func TestResidueIsListedWithWhy(t *testing.T) {
	old := holding("d", rollout.Claim{Intent: "slow", Path: rollout.Temporal, Accepted: true})
	old.Claims[0].Born = time.Now().Add(-2 * time.Hour).UnixMilli()
	url, _ := gatewayWith(t, false, old,
		holding("a", unsettled("k1")), holding("b", unsettled("suspect")),
		holding("c", rollout.Claim{Intent: "forgotten", Path: rollout.Temporal, Accepted: true, Stuck: true}))
	for list, want := range map[string]string{
		"ambiguous": "b suspect ambiguous, c forgotten stuck",
		"residue":   "b suspect ambiguous, c forgotten stuck, d slow overdue",
	} {
		stdout, _ := sluice(t, 0, "claims", list, "-operator", url+"/")
		var got []string
		for _, line := range strings.Split(strings.TrimSpace(stdout), "\n")[1:] {
			f := strings.Fields(line)
			got = append(got, f[8]+" "+f[9]+" "+f[4])
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s:\n%s", list, stdout)
		}
	}
}

func TestClaimsAreListedAsATable(t *testing.T) {
	url, _ := gatewayWith(t, false,
		holding("b", unsettled("k1")),
		holding("a/\x1b[2J c", rollout.Claim{Intent: "k2", Path: rollout.Legacy, Sends: []rollout.Sends{{Owner: "gw-1", Count: 1, Last: time.Now().UnixMilli()}}}))
	stdout, _ := sluice(t, 0, "claims", "open", "-operator", url)
	lines := strings.Split(stdout, "\n")
	if len(lines) != 4 {
		t.Fatalf("got\n%s", stdout)
	}
	for i, want := range []string{
		"AGE ROUTE PATH STATE WHY LIFE ATTEMPTS OWNER DOC_ID INTENT STALLED BY",
		`1m30s documents legacy open - 7 0 gw-1 "a/\x1b[2J c" k2 -`,
		`1m30s documents temporal open - 7 2 gw-1 b k1 "its workflow task failed 7 times: oops"`,
	} {
		if got := strings.Join(strings.Fields(lines[i]), " "); strings.Replace(got, "1m31s", "1m30s", 1) != want {
			t.Errorf("line %d is %q instead of %q", i, got, want)
		}
	}
	if stdout, _ := sluice(t, 0, "claims", "show", "b", "-operator", url); strings.Count(stdout, "\n") != 2 {
		t.Errorf("show:\n%s", stdout)
	}
	empty, _ := gatewayWith(t, false)
	if stdout, stderr := sluice(t, 0, "claims", "open", "-operator", empty); stdout != "" || stderr != "there are no open claims\n" {
		t.Errorf("nothing:\n%s%s", stdout, stderr)
	}
}

func TestClaimsAreListedAsJSONPageByPage(t *testing.T) {
	var holdings []*rollout.Holding
	for i := range 2100 {
		holdings = append(holdings, holding(fmt.Sprintf("doc-%04d", i), unsettled("k1")))
	}
	url, _ := gatewayWith(t, false, holdings...)
	for flags, want := range map[string]int{"-limit=0": 2100, "-limit=7": 7, "-limit=1500": 1500, "-limit=9999": 2100} {
		stdout, stderr := sluice(t, 0, "claims", "open", "-json", flags, "-operator", url)
		lines := strings.Split(strings.TrimSpace(stdout), "\n")
		if len(lines) != want || strings.Contains(stderr, "more") != (want < 2100) {
			t.Errorf("%s: %d claims, and says %q", flags, len(lines), stderr)
		}
		for i, line := range lines {
			var c operator.Claim
			if err := json.Unmarshal([]byte(line), &c, json.RejectUnknownMembers(true)); err != nil || c.DocID != fmt.Sprintf("doc-%04d", i) {
				t.Fatalf("%s: line %d: %v: %s", flags, i, err, line)
			}
		}
	}
	if stdout, _ := sluice(t, 0, "claims", "open", "-json", "-operator", url); strings.Count(stdout, "\n") != 1000 {
		t.Error("the default is not 1000")
	}
}

// Arguments and flags may stand in any order, and a doc_id may be anything.
func TestAClaimIsSettledAndOnRecord(t *testing.T) {
	for i, args := range [][]string{
		{"doc", "k1", "7", "-as", "lost", "-reason", "asked: \"lost\"", "-operator", "URL"},
		{"-operator", "URL", "-as=lost", "doc", "-reason=x", "k1", "7"},
		{"-operator", "URL", "-as", "lost", "-reason", "x", "--", "-doc", "k1", "7"},
		{"../..", "-operator", "URL", "-as", "lost", "-reason", "x", "--", "k1", "7"},
	} {
		id := []string{"doc", "doc", "-doc", "../.."}[i]
		url, record := gatewayWith(t, false, holding(id, unsettled("k1")))
		line := append([]string{"claims", "settle"}, args...)
		for j := range line {
			line[j] = strings.Replace(line[j], "URL", url, 1)
		}
		if stdout, _ := sluice(t, 0, line...); stdout != "settled as lost; entry 1 of the audit\n" {
			t.Errorf("%q: %s", args, stdout)
		}
		stdout, _ := sluice(t, 0, "claims", "show", "-json", "-operator", url, "--", id)
		if !strings.Contains(stdout, `"state":"lost"`) || strings.Count(stdout, "\n") != 1 {
			t.Errorf("%q: %s", args, stdout)
		}
		if _, stderr := sluice(t, 1, line...); !strings.Contains(stderr, "no such open claim") {
			t.Errorf("the second time: %s", stderr)
		}
		entries, err := record.Read(context.Background(), 0, 10)
		if err != nil || len(entries) != 3 || entries[0].Subject["doc_id"] != id || entries[2].Action != operator.ActionSettleFailed {
			t.Errorf("%q: %v: the audit is %+v", args, err, entries)
		}
	}
	url, _ := gatewayWith(t, false, holding("doc", unsettled("k1")))
	stdout, _ := sluice(t, 0, "claims", "settle", "doc", "k1", "7", "-as", "void", "-reason", "x", "-json", "-operator", url)
	if want := `{"doc_id":"doc","intent":"k1","life":7,"state":"void","reason":"x","audit":1}` + "\n"; stdout != want {
		t.Errorf("got %s", stdout)
	}
}

func TestDotsAreDocIDsToo(t *testing.T) {
	for _, id := range []string{".", "..", "...", "a/./b"} {
		url, _ := gatewayWith(t, false, holding(id, unsettled("k1")))
		if stdout, _ := sluice(t, 0, "claims", "show", id, "-operator", url); !strings.Contains(stdout, " "+id+" ") {
			t.Errorf("%s: %s", id, stdout)
		}
	}
}

func TestWrongUsageIsTwoAndSaysWhy(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"nothing":        {nil, "usage: sluice claims"},
		"a typo":         {[]string{"opne"}, "usage: sluice claims"},
		"a flag":         {[]string{"open", "-jsn"}, "-jsn"},
		"an argument":    {[]string{"open", "doc"}, `unexpected argument "doc"`},
		"a limit":        {[]string{"open", "-limit=-1"}, "negative"},
		"no URL":         {[]string{"open", "-operator", "127.0.0.1:8081"}, "-operator"},
		"no DOC_ID":      {[]string{"show"}, "DOC_ID is missing"},
		"no LIFE":        {[]string{"settle", "doc", "k1", "-as", "lost", "-reason", "x"}, "LIFE is missing"},
		"another LIFE":   {[]string{"settle", "doc", "k1", "first", "-as", "lost", "-reason", "x"}, "LIFE"},
		"no -as":         {[]string{"settle", "doc", "k1", "7", "-reason", "x"}, "done, failed, void, lost"},
		"another -as":    {[]string{"settle", "doc", "k1", "7", "-as", "open", "-reason", "x"}, "done, failed, void, lost"},
		"no -reason":     {[]string{"settle", "doc", "k1", "7", "-as", "lost"}, "-reason"},
		"a blank reason": {[]string{"settle", "doc", "k1", "7", "-as", "lost", "-reason", " "}, "-reason"},
	} {
		if _, stderr := sluice(t, 2, append([]string{"claims"}, test.args...)...); !strings.Contains(stderr, test.want) {
			t.Errorf("%s: %s", name, stderr)
		}
	}
	if stdout, _ := sluice(t, 0, "claims", "-h"); !strings.Contains(stdout, "settle DOC_ID INTENT LIFE") {
		t.Errorf("help: %s", stdout)
	}
	if _, stderr := sluice(t, 0, "claims", "settle", "-h"); !strings.Contains(stderr, "-reason") {
		t.Errorf("help: %s", stderr)
	}
}

func TestFailuresAreOneAndEndInAHint(t *testing.T) {
	far, _ := gatewayWith(t, true, holding("doc", unsettled("k1")))
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	sluice(t, 0, "claims", "show", "doc", "-operator", far, "-token-file", file(testToken+"\n"))
	door := httptest.NewServer(http.NotFoundHandler())
	defer door.Close()
	moved := httptest.NewServer(http.RedirectHandler(far, http.StatusTemporaryRedirect))
	defer moved.Close()
	text := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }))
	defer text.Close()
	nobody := httptest.NewServer(nil)
	nobody.Close()
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"no token":      {[]string{"open", "-operator", far}, "-token-file"},
		"another token": {[]string{"open", "-operator", far, "-token-file", file("fedcba9876543210")}, "-token-file"},
		"an empty file": {[]string{"open", "-operator", far, "-token-file", file(" \n")}, "is empty"},
		"no file":       {[]string{"open", "-operator", far, "-token-file", "/nowhere/token"}, "/nowhere/token"},
		"nobody there":  {[]string{"open", "-operator", nobody.URL}, "listen.operator"},
		"the door":      {[]string{"open", "-operator", door.URL}, "not the door for clients"},
		"a redirect":    {[]string{"open", "-operator", moved.URL, "-token-file", file(testToken)}, "not the door for clients"},
		"a web page":    {[]string{"open", "-operator", text.URL}, "not the door for clients"},
		"no document":   {[]string{"show", "other", "-operator", far, "-token-file", file(testToken)}, "sluice claims open"},
	} {
		stdout, stderr := sluice(t, 1, append([]string{"claims"}, test.args...)...)
		if stdout != "" || !strings.Contains(stderr, test.want) || strings.Contains(stderr, testToken) {
			t.Errorf("%s: %s%s", name, stdout, stderr)
		}
	}
}
