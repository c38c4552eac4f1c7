package endtoend_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"

	"sluice/cmd/internal/demolegacy"
	"sluice/rollout/compare/certificate"
	"sluice/rollout/compare/noise"
	"sluice/rollout/evidence"
	"sluice/temporalpath/ingestion/stores"
)

// differing stands between the gateway and legacy and changes its answers for known
// shares of the documents.
type differing struct {
	url string
	// share of documents, in thousandths, whose answer has another checksum, and two
	// more wrong fields that go together.
	checksum, pair uint64
	// posts counts the documents that came, dry those that were not to be stored.
	posts, dry atomic.Int64
}

// hit reports whether the document is one of a share, in thousandths.
func hit(docID, salt string, share uint64) bool { return xxhash.Sum64String(salt+docID)%1000 < share }

func (d *differing) serve(t *testing.T, legacy string) {
	target, err := url.Parse("http://" + legacy)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			if r.In.Method == http.MethodPost {
				d.posts.Add(1)
			}
			if r.In.Header.Get(demolegacy.DryRunHeader) == "true" {
				d.dry.Add(1)
			}
		},
		ModifyResponse: d.change,
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	d.url = server.URL
}

func (d *differing) change(response *http.Response) error {
	if response.StatusCode != http.StatusOK {
		return nil
	}
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	var answer map[string]any
	if err := json.Unmarshal(text, &answer); err != nil {
		return err
	}
	id, _ := answer["doc_id"].(string)
	if hit(id, "checksum", d.checksum) {
		answer["checksum"] = "another"
	}
	if hit(id, "pair", d.pair) {
		answer["chunks"], answer["entities"] = 1000, 1000
	}
	if text, err = json.Marshal(answer); err != nil {
		return err
	}
	response.Body = io.NopCloser(bytes.NewReader(text))
	response.ContentLength = int64(len(text))
	response.Header.Set("Content-Length", fmt.Sprint(len(text)))
	return nil
}

// mirrorStack is a stack at 0 % that mirrors everything.
func mirrorStack(t *testing.T, d *differing, settings ...string) *stack {
	t.Helper()
	s := assemble(t, "", settings...)
	d.serve(t, s.legacy)
	s.gateway = s.openGateway(t, "data="+s.dir+"/mirroring", "legacy.url="+d.url)
	s.work(t)
	s.setShadow(t, 100)
	eventually(t, "the workers declare that they can", func() bool {
		return strings.Contains(s.metrics(t), `rollout_shadow_ready{route="documents"} 1`)
	})
	return s
}

// setShadow edits the flag file: nothing is served by Temporal, a share is mirrored.
func (s *stack) setShadow(t testing.TB, percent float64) {
	t.Helper()
	s.writeFlags(t, 0, percent, false)
}

func (s *stack) shadow(t testing.TB) *evidence.Report {
	t.Helper()
	var report evidence.Report
	s.view(t, s.gateway.OperatorAddress(), &report)
	return &report
}

func (s *stack) view(t testing.TB, operator string, report *evidence.Report) {
	t.Helper()
	a := get(t, s.client, "http://"+operator+"/api/shadow")
	if err := json.Unmarshal(a.body, report); err != nil {
		t.Fatalf("%v: %v", a, err)
	}
}

// postMirrored posts documents and waits until each is compared.
func (s *stack) postMirrored(t *testing.T, prefix string, count int) *evidence.Report {
	t.Helper()
	before := accounted(s.shadow(t))
	ids := make([]string, count)
	for i := range ids {
		ids[i] = fmt.Sprint(prefix, i)
	}
	s.postAll(t, ids, func(id string, a answer) {
		if a.status != http.StatusOK || a.path() != "legacy" {
			t.Errorf("%s: %v", id, a)
		}
	})
	var report *evidence.Report
	within(t, 5*time.Minute, "all are compared", func() bool {
		report = s.shadow(t)
		return accounted(report) >= before+uint64(count)
	})
	return report
}

// accounted counts the sampled documents whose fate is known.
func accounted(r *evidence.Report) uint64 {
	s := r.Certificate.Evidence.Starts
	sum := s.Completed + s.Listed
	for reason, n := range s.Dropped {
		if reason != "restart" { // those are listed too, if they were begun
			sum += n
		}
	}
	return sum
}

var mirrorDocuments = flag.Int("mirror.documents", 150, "how many documents with planted differences are mirrored")

// The planted differences are found, each with its rate, and nothing else is.
func TestPlantedDifferencesAreFound(t *testing.T) {
	t.Parallel()
	documents := *mirrorDocuments
	d := &differing{checksum: 200, pair: 300}
	s := mirrorStack(t, d, "shadow.pairs=40", "shadow.queue=5000")
	report := s.postMirrored(t, "planted-", documents)
	want := map[string]uint64{}
	for i := range documents {
		id := fmt.Sprint("planted-", i)
		if hit(id, "checksum", d.checksum) {
			want["/checksum"]++
		}
		if hit(id, "pair", d.pair) {
			want["/chunks"]++
			want["/entities"]++
		}
	}
	route := report.Routes["documents"]
	got := map[string]uint64{}
	for _, f := range route.Fields {
		got[f.Field] = f.AB.Differed
		if f.Verdict != noise.Mismatch {
			t.Errorf("%s is %s", f.Field, f.Verdict)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("found %v, planted %v", got, want)
	}
	if report.Summary != "3 fields, 2 causes" || report.Certificate.State != certificate.Red {
		t.Errorf("%s, %s: %+v", report.Summary, report.Certificate.State, report.Certificate.Lines)
	}
	if e := report.Certificate.Evidence; e.Compared != uint64(documents) || e.Starts.Completed != uint64(documents) {
		t.Errorf("%+v", e)
	}
	samples := get(t, s.client, "http://"+s.gateway.OperatorAddress()+"/api/shadow/samples?limit=100")
	if !bytes.Contains(samples.body, []byte(`"checksum":"another"`)) || !bytes.Contains(samples.body, []byte(`"build":"test"`)) {
		t.Errorf("the samples do not show it: %v", samples)
	}
}

// Nothing differs: the certificate turns green, and the real stores hold what legacy
// wrote and nothing of the shadow's.
func TestMirroringLeavesNothing(t *testing.T) {
	t.Parallel()
	s := mirrorStack(t, &differing{}, "shadow.queue=5000")
	report := s.postMirrored(t, "same-", 300)
	if report.Certificate.Evidence.Mismatches != 0 || len(report.Causes) != 0 {
		t.Errorf("%+v", report.Causes)
	}
	for _, line := range report.Certificate.Lines {
		if line.Proof == certificate.Failed && line.Name != "latency" { // the machine's, which is shared
			t.Errorf("%+v", line)
		}
		if line.Name == "mismatches" && line.Proof != certificate.Proved {
			t.Errorf("%+v", line)
		}
	}
	for _, kind := range stores.Kinds() {
		if stored, err := s.stores[kind].Count(t.Context()); err != nil || kind == "document" && stored != 300 {
			t.Errorf("%s holds %d, %v", kind, stored, err)
		}
	}
	// A retry is no second comparison.
	s.mustPost(t, string(documentBody("same-1")))
	eventually(t, "the retry is a duplicate", func() bool {
		return s.shadow(t).Certificate.Evidence.Starts.Dropped["duplicate"] == 1
	})
	// The kill switch ends mirroring too.
	s.writeFlags(t, 0, 100, true)
	eventually(t, "it is killed", func() bool { return strings.Contains(s.metrics(t), "rollout_kill 1\n") })
	before := s.shadow(t).Certificate.Evidence.Starts.Acknowledged
	s.mustPost(t, string(documentBody("killed")))
	if after := s.shadow(t).Certificate.Evidence.Starts.Acknowledged; after != before {
		t.Error("a document was mirrored though the kill switch is on")
	}
}

// Without workers that declare it, nothing is started on Temporal, and the reason is
// there to be read.
func TestUnsupportedRouteIsNotMirrored(t *testing.T) {
	t.Parallel()
	s := assemble(t, "", `worker.shadow_task_queue=""`)
	s.work(t)
	s.setShadow(t, 100)
	eventually(t, "mirroring is wanted", func() bool { return strings.Contains(s.metrics(t), "rollout_shadow_ratio 1\n") })
	for i := range 20 {
		if a := s.mustPost(t, string(documentBody(fmt.Sprint("unsupported-", i)))); a.status != http.StatusOK {
			t.Error(a)
		}
	}
	eventually(t, "all are dropped", func() bool {
		return strings.Contains(s.metrics(t), `rollout_shadow_dropped_total{reason="unsupported",route="documents"} 20`+"\n")
	})
	var view struct{ Ready map[string]string }
	a := get(t, s.client, "http://"+s.gateway.OperatorAddress()+"/api/shadow")
	if err := json.Unmarshal(a.body, &view); err != nil || view.Ready["documents"] == "ready" || view.Ready["documents"] == "" {
		t.Errorf("%v: %v", a, err)
	}
}
