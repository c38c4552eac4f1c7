package endtoend_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Documents with long doc_ids are in flight on Temporal when the machine loses its power
// and all claims: they are rebuilt from what Temporal has, so that a retry finds its run,
// at 0 % too.
func TestLongDocIDsOutliveTheirClaims(t *testing.T) {
	t.Parallel()
	s := assemble(t, "")
	s.work(t)
	s.rollTo(t, 100)
	s.setFaults(t, s.worker.Address(), `{"latency":"5s"}`)
	data := filepath.Join(s.dir, "power")
	settings := append(s.settings, "data="+data)
	first, stop := s.runGateway(t, settings)
	bodies := map[string][]byte{}
	for name, docID := range map[string]string{"300 bytes": strings.Repeat("d", 300), "512 bytes": strings.Repeat("é", 256), "short": "d"} {
		bodies[name] = documentBody(docID)
		a, err := s.postTo(t.Context(), first.PublicAddress(), bodies[name], "Prefer", "respond-async")
		if err != nil || a.status != http.StatusAccepted || a.path() != "temporal" {
			t.Fatalf("%s: %v, %v", name, a, err)
		}
	}
	stop()
	loseClaims(t, filepath.Join(data, "claims"))
	s.setFlags(t, 0, false)
	second, stop := s.runGateway(t, settings)
	defer stop()
	eventually(t, "the claims are rebuilt", func() bool {
		return strings.Contains(string(get(t, s.client, "http://"+second.OperatorAddress()+"/metrics").body), "rollout_kill 0\n")
	})
	for name, body := range bodies {
		eventually(t, name+": the retry finds its run", func() bool {
			a, err := s.postTo(t.Context(), second.PublicAddress(), body, "Prefer", "respond-async")
			if err != nil || a.path() != "temporal" && a.path() != "" {
				t.Fatalf("%v, %v", a, err)
			}
			return a.status == http.StatusOK && a.header.Get("Rollout-Replayed") == "true"
		})
	}
}

// loseClaims leaves the directory as a machine does that lost its power before any claim
// was on the disk.
func loseClaims(t *testing.T, dir string) {
	t.Helper()
	segments, err := filepath.Glob(filepath.Join(dir, "*.claims"))
	if err != nil || len(segments) == 0 {
		t.Fatalf("%d segments, %v", len(segments), err)
	}
	for _, segment := range segments {
		if err := os.Remove(segment); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "state")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text = regexp.MustCompile(`"boot":"[^"]*"`).ReplaceAll(text, []byte(`"boot":"another"`))
	text = []byte(strings.Replace(string(text), `"clean":true`, `"clean":false`, 1))
	text = []byte(strings.Replace(string(text), `"lost":false`, `"lost":true`, 1))
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
