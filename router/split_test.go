package router_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"sluice/rollout"
)

// goldenBuckets are made by other hands than this project's.
func goldenBuckets(t *testing.T) map[string]uint64 {
	t.Helper()
	f, err := os.Open("../rollout/testdata/buckets.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := map[string]uint64{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		parts := strings.SplitN(lines.Text(), " ", 3)
		if all[parts[2]], err = strconv.ParseUint(parts[1], 10, 32); err != nil {
			t.Fatal(err)
		}
	}
	if len(all) < 60 {
		t.Fatalf("only %d vectors", len(all))
	}
	return all
}

func document(id string) string {
	body, _ := json.Marshal(map[string]string{"doc_id": id}) // a string cannot fail
	return string(body)
}

func TestSplit(t *testing.T) {
	golden := goldenBuckets(t)
	for _, percent := range []float64{0, 50, 100} {
		t.Run(strconv.FormatFloat(percent, 'f', -1, 64), func(t *testing.T) {
			d := openDoor(t, at(percent))
			want := map[string]int{}
			for id, bucket := range golden {
				path := "legacy"
				if float64(bucket) < percent*10_000 {
					path = "temporal"
				}
				want[path]++
				d.post(document(id)).wantFields(t, "Rollout-Path", path,
					"Rollout-Bucket", strconv.FormatUint(bucket, 10), "Rollout-Reason", "split")
			}
			if l, w := len(d.legacy.all()), len(d.temporal.all()); l != want["legacy"] || w != want["temporal"] {
				t.Errorf("legacy got %d and Temporal %d, want %v", l, w, want)
			}
		})
	}
}

// doc-123 is in bucket 362837.
func TestReasons(t *testing.T) {
	all := rollout.Policy{Epoch: 3, Flag: rollout.All, Plan: rollout.All, Brake: rollout.All}
	with := func(change func(*rollout.Policy)) *rollout.Policy {
		p := all
		change(&p)
		return &p
	}
	for _, row := range []struct {
		name         string
		policy       *rollout.Policy
		oversize     bool
		path, reason string
	}{
		{"one step below the bucket", with(func(p *rollout.Policy) { p.Flag = 362_837 }), false, "legacy", "split"},
		{"at the bucket", with(func(p *rollout.Policy) { p.Flag = 362_838 }), false, "temporal", "split"},
		{"plan", with(func(p *rollout.Policy) { p.Plan = 362_837 }), false, "legacy", "split"},
		{"brake", with(func(p *rollout.Policy) { p.Brake = 362_837 }), false, "legacy", "brake"},
		{"kill", with(func(p *rollout.Policy) { p.Kill = true }), false, "legacy", "kill"},
		{"size", &all, true, "legacy", "size"},
		{"size, legacy's anyway", with(func(p *rollout.Policy) { p.Flag = 0 }), true, "legacy", "split"},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := openDoor(t, under(row.policy), func(s *setup) {
				s.temporal.oversize = func(doc *rollout.Document) bool {
					return row.oversize && doc.DocID == "doc-123" && string(doc.Body) == document("doc-123")
				}
			})
			got := d.post(document("doc-123"))
			got.want(t, http.StatusOK, "")
			got.wantFields(t, "Rollout-Path", row.path, "Rollout-Bucket", "362837", "Rollout-Reason", row.reason)
			record := d.observer.next()
			if record.Decision.Path.String() != row.path || record.Decision.Reason.String() != row.reason ||
				record.Decision.Bucket != 362_837 || record.Decision.Epoch != 3 {
				t.Errorf("record %+v", record.Decision)
			}
		})
	}
}

// Whoever gets the document gets the client's bytes, not a reading of them.
func TestOriginalBytes(t *testing.T) {
	const body = "\r\n{ \"z\":1.0, \"a\":1e2,\t\"a\":\"\\u0061\",\"b\":\"\xff\", \"doc_id\":\"\\u0061\" }\n "
	for percent, got := range map[float64]func(*door) string{
		0:   func(d *door) string { return d.legacy.all()[0].body },
		100: func(d *door) string { return string(d.temporal.all()[0].doc.Body) },
	} {
		d := openDoor(t, at(percent))
		d.post(body).want(t, http.StatusOK, "")
		if got := got(d); got != body {
			t.Errorf("at %v %%: got %q, want %q", percent, got, body)
		}
	}
	d := openDoor(t)
	d.do(d.request(http.MethodPost, "/v1/documents", chunked(body))).want(t, http.StatusOK, "")
	if got := d.legacy.all()[0]; got.body != body || !got.buffered {
		t.Errorf("in chunks: got %+v, want %q", got, body)
	}
}

// A policy that changes under a request would let its steps disagree.
func TestPolicyIsReadOncePerRequest(t *testing.T) {
	var reads atomic.Int64
	everything, none := rollout.Reading{Rollout: rollout.All}.Policy(1), rollout.Reading{}.Policy(2)
	d := openDoor(t, func(s *setup) {
		s.Policy = func() *rollout.Policy {
			if reads.Add(1)%2 == 1 {
				return everything
			}
			return none
		}
		s.stored = func() *rollout.Policy { return everything }
		s.temporal.oversize = func(*rollout.Document) bool { return true }
	})
	for i, body := range []string{document("a"), document("a"), "{}", "{}"} {
		d.post(body)
		if got := reads.Load(); got != int64(i+1) {
			t.Fatalf("%d requests read the policy %d times", i+1, got)
		}
		if record := d.observer.next(); record.Decision.Path != rollout.Legacy {
			t.Errorf("request %d: %+v", i, record.Decision)
		}
	}
}
