package operator_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"sluice/rollout"
	"sluice/rollout/audit"
	"sluice/router/operator"
)

const settlement = `{"doc_id":"doc","intent":"k1","life":7,"state":"lost","reason":"asked the team"}`

func TestASettlementIsOnRecordAndDone(t *testing.T) {
	for _, state := range operator.SettleStates() {
		d := openDesk(t)
		d.records.put("doc", onTemporal("k1"), onTemporal("k2"))
		var settled operator.Settled
		d.do("POST", "/api/claims/settle", strings.Replace(settlement, "lost", state.String(), 1), http.StatusOK, &settled)
		h, _ := d.records.Get(context.Background(), "doc")
		if c := h.Find("k1"); c.State != state || c.Unsettled != 0 || settled.Audit != 1 || settled.State != state.String() {
			t.Errorf("%v: the claim is %+v, the answer %+v", state, c, settled)
		}
		if !h.Find("k2").Open() {
			t.Error("the other claim was settled too")
		}
		entries := d.entries()
		if len(entries) != 1 || entries[0].Action != operator.ActionSettle || entries[0].Actor != "loopback" || entries[0].Reason != "asked the team" ||
			entries[0].Subject["doc_id"] != "doc" || entries[0].Subject["intent"] != "k1" || entries[0].Subject["life"] != "7" || entries[0].Subject["state"] != state.String() {
			t.Errorf("%v: the audit is %+v", state, entries)
		}
	}
}

// forcing checks what stands in the audit when a claim is forced.
type forcing struct {
	d     *desk
	force func() error
}

func (f *forcing) Force(context.Context, string, rollout.Intent, uint64, rollout.ClaimState) error {
	if entries := f.d.entries(); len(entries) != 1 || entries[0].Action != operator.ActionSettle {
		f.d.t.Errorf("it is forced and the audit holds %+v", entries)
	}
	return f.force()
}

func (*forcing) Suspects(string, rollout.Intent, uint64) bool { return false }

func (*forcing) Stalled(context.Context, string, string, rollout.Intent, uint64) string { return "" }

func TestTheRecordComesFirstAndFailuresFollow(t *testing.T) {
	for name, test := range map[string]struct {
		failed error
		status int
		slug   string
	}{
		"no such claim": {rollout.ErrClaimGone, http.StatusConflict, "claim-gone"},
		"store away":    {errors.New("the store is away"), http.StatusServiceUnavailable, "store"},
	} {
		f := &forcing{force: func() error { return test.failed }}
		d := openDesk(t, func(c *operator.Config) { c.Claims = f })
		f.d = d
		if slug := d.do("POST", "/api/claims/settle", settlement, test.status, nil); slug != test.slug {
			t.Errorf("%s: %s", name, slug)
		}
		entries := d.entries()
		if len(entries) != 2 || entries[1].Action != operator.ActionSettleFailed || entries[1].Subject["entry"] != "1" ||
			entries[1].Subject["doc_id"] != "doc" || entries[1].Reason != test.failed.Error() {
			t.Errorf("%s: the audit is %+v", name, entries)
		}
	}
}

// The client's leaving must not stop what is on record already.
func TestASettlementOutlivesItsClient(t *testing.T) {
	var config operator.Config
	d := openDesk(t, func(c *operator.Config) { config = *c })
	d.records.put("doc", onTemporal("k1"))
	ctx, leave := context.WithCancel(context.Background())
	leave()
	r := httptest.NewRequestWithContext(ctx, "POST", "/api/claims/settle", strings.NewReader(settlement))
	r.Header.Set("Content-Type", "application/json")
	operator.New(config).ServeHTTP(httptest.NewRecorder(), r)
	if h, _ := d.records.Get(context.Background(), "doc"); h.Find("k1").Open() || len(d.entries()) != 1 {
		t.Errorf("the claim is %+v, the audit %+v", h.Find("k1"), d.entries())
	}
}

func TestNothingIsDoneThatCannotBeRecorded(t *testing.T) {
	d := openDesk(t, func(c *operator.Config) { c.Audit = brokenAudit{c.Audit} })
	d.records.put("doc", onTemporal("k1"))
	if slug := d.do("POST", "/api/claims/settle", settlement, http.StatusServiceUnavailable, nil); slug != "audit" {
		t.Error(slug)
	}
	if h, _ := d.records.Get(context.Background(), "doc"); !h.Find("k1").Open() {
		t.Error("the claim was settled off the record")
	}
}

func TestSettlementsAreTakenStrictly(t *testing.T) {
	d := openDesk(t)
	d.records.put("doc", onTemporal("k1"))
	replace := func(old, new string) string { return strings.Replace(settlement, old, new, 1) }
	for _, body := range []string{
		"{}", "[]", "null", `"doc"`, settlement + settlement, settlement[:40],
		replace(`"doc"`, `""`), replace(`"doc"`, `7`), replace(`"doc"`, "\"\xff\""), replace(`"k1"`, `""`), replace("7", "0"), replace("7", "-7"),
		replace("7", "7.5"), replace("7", `"7"`), replace("lost", "open"), replace("lost", "dead-letter"), replace("lost", ""),
		replace("lost", "Lost"), replace("asked the team", " \t"), replace(`,"reason":"asked the team"`, ""),
		replace("asked the team", strings.Repeat("x", 2001)), replace(`"life"`, `"lives":3,"life"`), replace(`"life"`, `"life":7,"life"`),
		replace(`"life"`, `"Life"`),
	} {
		if slug := d.do("POST", "/api/claims/settle", body, http.StatusBadRequest, nil); slug != "bad-request" {
			t.Errorf("%s: %s", body, slug)
		}
	}
	large := replace("asked the team", strings.Repeat("x", 40<<10))
	if slug := d.do("POST", "/api/claims/settle", large, http.StatusRequestEntityTooLarge, nil); slug != "too-large" {
		t.Error(slug)
	}
	d.wantUntouched()
}

// wantUntouched checks that no claim of doc was settled and nothing recorded.
func (d *desk) wantUntouched() {
	d.t.Helper()
	h, _ := d.records.Get(context.Background(), "doc")
	if entries := d.entries(); len(entries) > 0 || !h.Find("k1").Open() {
		d.t.Errorf("the audit is %+v, the claim %+v", entries, h.Find("k1"))
	}
}

func TestChangesThatABrowserCanBeTrickedIntoAreRefused(t *testing.T) {
	d := openDesk(t)
	d.records.put("doc", onTemporal("k1"))
	set := func(field, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header[field] = append(r.Header[field][:0:0], value) }
	}
	for _, edit := range []func(*http.Request){
		set("Origin", "http://evil.example"), set("Origin", "null"), set("Origin", "http://127.0.0.1:1"), set("Sec-Fetch-Site", "cross-site"),
		set("Sec-Fetch-Site", "same-site"), func(r *http.Request) { r.Header["Origin"] = []string{d.url, "http://evil.example"} },
	} {
		if slug := d.do("POST", "/api/claims/settle", settlement, http.StatusForbidden, nil, edit); slug != "foreign-origin" {
			t.Error(slug)
		}
	}
	for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "text/plain; application/json", "application/jsonp"} {
		if slug := d.do("POST", "/api/claims/settle", settlement, http.StatusUnsupportedMediaType, nil, set("Content-Type", kind)); slug != "media-type" {
			t.Errorf("%q: %s", kind, slug)
		}
	}
	d.wantUntouched()
	d.do("POST", "/api/claims/settle", settlement, http.StatusOK, nil, set("Origin", d.url), set("Content-Type", "application/json; charset=utf-8"))
}

// What the API shows can be verified as the file can.
func TestTheAuditIsShownAsItStands(t *testing.T) {
	d := openDesk(t)
	for range 20 {
		d.do("POST", "/api/claims/settle", settlement, http.StatusConflict, nil)
		var page struct {
			Entries []jsontext.Value `json:"entries"`
			Next    uint64           `json:"next"`
		}
		d.do("GET", "/api/audit", "", http.StatusOK, &page)
		var file strings.Builder
		for _, e := range page.Entries {
			file.Write(append(e, '\n'))
		}
		if entries, _, err := audit.Verify(strings.NewReader(file.String())); err != nil || entries == 0 {
			t.Fatalf("%d entries: %v", entries, err)
		}
	}
}

func TestTheAuditIsReadInPages(t *testing.T) {
	d := openDesk(t)
	for range 5 {
		d.do("POST", "/api/claims/settle", settlement, http.StatusConflict, nil)
	}
	var got []rollout.Entry
	var page operator.AuditPage
	d.do("GET", "/api/audit?limit=4", "", http.StatusOK, &page)
	got = append(got, page.Entries...)
	d.do("GET", "/api/audit?limit=4&after=4", "", http.StatusOK, &page)
	got = append(got, page.Entries...)
	if page.Next != 8 {
		t.Errorf("next is %d", page.Next)
	}
	page = operator.AuditPage{}
	d.do("GET", "/api/audit?after=8", "", http.StatusOK, &page)
	got = append(got, page.Entries...)
	if page.Next != 0 || len(got) != 10 {
		t.Fatalf("next is %d, %d entries", page.Next, len(got))
	}
	for i, e := range d.entries() {
		if got[i].Seq != e.Seq || got[i].Hash != e.Hash || got[i].Prev != e.Prev || !got[i].Time.Equal(e.Time) {
			t.Errorf("got %+v instead of %+v", got[i], e)
		}
	}
	page = operator.AuditPage{}
	d.do("GET", "/api/audit?after=10", "", http.StatusOK, &page)
	if page.Entries == nil || len(page.Entries) > 0 {
		t.Errorf("at the end: %+v", page)
	}
}
