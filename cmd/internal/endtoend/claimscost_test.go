package endtoend_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"

	"sluice/cmd/internal/gateway"
	"sluice/configs"
)

// BenchmarkLegacyPathCPU is the gateway's own CPU time for a document of 1 KB that
// legacy serves, under a claim, and for the same bytes that pass without one,
// because no document's id is found in them; by turns in one run. Clients and
// legacy are another process.
func BenchmarkLegacyPathCPU(b *testing.B) {
	load := startLoad(b)
	door := openDoor(b, load, noVariables, 0).PublicAddress()
	benchmarkCPU(b, load, [2]string{door, door}, [2]string{"nothing", "doc_id"}, [2]string{"bare", "claimed"})
}

// benchmarkCPU compares two ways to post, the cheaper one first.
func benchmarkCPU(b *testing.B, load string, doors, fields, names [2]string) {
	const batch = 2000
	var spent [len(doors)]time.Duration
	for i, door := range doors { // so that neither pays for the start
		post(b, load, door, fields[i], batch)
	}
	posts := 0
	for b.Loop() {
		for i, door := range doors {
			before := cpu(b)
			post(b, load, door, fields[i], batch)
			spent[i] += cpu(b) - before
		}
		posts += batch
	}
	for i, name := range names {
		b.ReportMetric(float64(spent[i].Microseconds())/float64(posts), name+"-cpu-us/post")
	}
	b.ReportMetric(float64(spent[1])/float64(spent[0]), names[1]+"/"+names[0])
}

// openDoor is a gateway at 0 % whose documents need no id, and which is to mirror so
// many of them.
func openDoor(b *testing.B, legacy string, lookup func(string) (string, bool), mirrored float64) *gateway.Gateway {
	dir := b.TempDir()
	s := &stack{dir: dir, flagFile: filepath.Join(dir, "flags.json")}
	s.writeFlags(b, 0, mirrored, false)
	config, err := configs.Load("../../../configs/gateway.yaml", "listen.public=127.0.0.1:0", "listen.operator=127.0.0.1:0",
		"data="+filepath.Join(dir, "gateway"), "legacy.url=http://"+legacy, "temporal.address=127.0.0.1:1",
		"rollout.flags.file="+s.flagFile, "rollout.on_unroutable=legacy", "log.access=false", "drain.lame_duck=0s")
	if err != nil {
		b.Fatal(err)
	}
	g, err := gateway.Open(b.Context(), config, gateway.Options{Version: "test", Log: zap.NewNop(), Lookup: lookup})
	if err != nil {
		b.Fatal(err)
	}
	background(b, g.Run, g.Close)
	return g
}

func post(b *testing.B, load, door, field string, posts int) {
	b.Helper()
	loaded(b, fmt.Sprintf("http://%s/load?to=%s&field=%s&posts=%d", load, door, field, posts))
}

// loaded asks for a load and returns its p50 and p99.
func loaded(b *testing.B, url string) (p50, p99 time.Duration) {
	b.Helper()
	a := get(b, http.DefaultClient, url)
	var failed int
	if _, err := fmt.Sscan(string(a.body), &failed, (*int64)(&p50), (*int64)(&p99)); err != nil || failed > 0 {
		b.Fatalf("posts failed: %v", a)
	}
	return p50, p99
}

// cpu is the CPU time that this process has used.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
