package rollout_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"sluice/rollout"
)

type vector struct {
	bucket rollout.Bucket
	docID  string
}

func goldenVectors(t testing.TB) []vector {
	t.Helper()
	f, err := os.Open("testdata/buckets.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []vector
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		parts := strings.SplitN(lines.Text(), " ", 3)
		var v vector
		if _, err := fmt.Sscan(parts[1], &v.bucket); err != nil {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
		v.docID = parts[2]
		all = append(all, v)
	}
	if len(all) < 60 {
		t.Fatalf("only %d vectors", len(all))
	}
	return all
}

func TestGoldenVectors(t *testing.T) {
	split := rollout.NewSplitter(rollout.DefaultSalt)
	for _, v := range goldenVectors(t) {
		if got := split.Bucket(v.docID); got != v.bucket {
			t.Errorf("%q is in bucket %d, want %d", v.docID, got, v.bucket)
		}
	}
}

func TestExposureNeverMovesADocumentBack(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	split := rollout.NewSplitter(rollout.DefaultSalt)
	for range 20_000 {
		b := split.Bucket(fmt.Sprint(rng.Uint64()))
		low, _ := rollout.ParsePercent(rng.Float64() * 100)
		high, _ := rollout.ParsePercent(low.Percent() + rng.Float64()*(100-low.Percent()))
		if low.Includes(b) && !high.Includes(b) {
			t.Fatalf("bucket %d is in %v and not in %v", b, low, high)
		}
		if rollout.None.Includes(b) || !rollout.All.Includes(b) {
			t.Fatalf("bucket %d: 0 must be none and 100 all", b)
		}
	}
}

// 200,000 documents at 12.5 %: five standard deviations are 0.37 %.
func TestShareMatchesExposure(t *testing.T) {
	split := rollout.NewSplitter(rollout.DefaultSalt)
	exposure, _ := rollout.ParsePercent(12.5)
	const n = 200_000
	in := 0
	for i := range n {
		if exposure.Includes(split.Bucket(fmt.Sprintf("doc-%d", i))) {
			in++
		}
	}
	if share := float64(in) / n; share < 0.1213 || share > 0.1287 {
		t.Errorf("share is %v, want 0.125", share)
	}
}

func BenchmarkDecide(b *testing.B) {
	split := rollout.NewSplitter(rollout.DefaultSalt)
	policy := rollout.Reading{Rollout: 100_000}.Policy(1)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if policy.Decide(rollout.Question{Bucket: split.Bucket("doc-123")}).Path == rollout.Temporal {
			n++
		}
	}
}
