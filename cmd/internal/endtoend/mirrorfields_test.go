package endtoend_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"sluice/rollout/compare/certificate"
)

// compressing stands between the gateway and legacy, compresses its answers, and makes a
// share of them, in thousandths, 201 with a Location and a field of legacy's own.
func compressing(t *testing.T, legacy string, created uint64) string {
	t.Helper()
	target, err := url.Parse("http://" + legacy)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ModifyResponse: func(response *http.Response) error {
			text, err := io.ReadAll(response.Body)
			if err != nil || response.StatusCode != http.StatusOK {
				return err
			}
			_, id, _ := strings.Cut(string(text), `"doc_id":"`)
			if id, _, _ = strings.Cut(id, `"`); hit(id, "created", created) {
				response.StatusCode = http.StatusCreated
				response.Header.Set("Location", "/v1/documents/"+id)
				response.Header.Set("X-Stored-As", id)
			}
			var packed bytes.Buffer
			w := gzip.NewWriter(&packed)
			_, _ = w.Write(text)
			if err := w.Close(); err != nil {
				return err
			}
			response.Body, response.ContentLength = io.NopCloser(&packed), int64(packed.Len())
			response.Header.Set("Content-Encoding", "gzip")
			response.Header.Set("Content-Length", fmt.Sprint(packed.Len()))
			return nil
		},
	})
	t.Cleanup(server.Close)
	return server.URL
}

// Legacy's answers are compressed: all are compared, and those that are created, with a
// Location and whatever field is named, differ in just that.
func TestCompressedAnswersAreCompared(t *testing.T) {
	t.Parallel()
	const documents, created = 30, 300
	s := assemble(t, "")
	s.gateway = s.openGateway(t, "data="+s.dir+"/mirroring", "legacy.url="+compressing(t, s.legacy, created),
		"shadow.compare.headers=[Location, ETag, Content-Type, X-Stored-As]")
	s.work(t)
	s.setShadow(t, 100)
	eventually(t, "mirroring is wanted", func() bool { return strings.Contains(s.metrics(t), "rollout_shadow_ratio 1\n") })
	for i := range documents {
		id := fmt.Sprint("coded-", i)
		want := map[bool]int{false: http.StatusOK, true: http.StatusCreated}[hit(id, "created", created)]
		if a := s.mustPost(t, string(documentBody(id))); a.status != want || a.path() != "legacy" {
			t.Fatalf("%s: %v", id, a)
		}
	}
	within(t, 5*time.Minute, "the fate of all is known", func() bool { return accounted(s.shadow(t)) >= documents })
	report := s.shadow(t)
	evidence, got := report.Certificate.Evidence, map[string]uint64{}
	for _, f := range report.Routes["documents"].Fields {
		got[f.Field] = f.AB.Differed
	}
	n := evidence.Mismatches // on a busy machine some may not be compared
	if want := map[string]uint64{"status": n, "header:Location": n, "header:X-Stored-As": n}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("found %v, want %v", got, want)
	}
	if n == 0 || evidence.Compared <= n || evidence.Uncompared != 0 || report.Certificate.State == certificate.Green {
		t.Errorf("%s: %+v", report.Certificate.State, evidence)
	}
	samples := get(t, s.client, "http://"+s.gateway.OperatorAddress()+"/api/shadow/samples?limit=100")
	if !bytes.Contains(samples.body, []byte(`"pattern":"header:Location"`)) || !bytes.Contains(samples.body, []byte(`"status":"ingested"`)) {
		t.Errorf("the samples do not show it: %v", samples)
	}
}
