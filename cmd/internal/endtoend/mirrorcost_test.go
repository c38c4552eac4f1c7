package endtoend_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/rollout/evidence"
)

// BenchmarkMirroring is what mirroring every document costs the legacy path, at 20
// documents a second with a legacy that takes 10 ms, by turns in one run: latencies
// as clients see them, and the gateway's CPU time, all of its own work for the
// mirror included. Gateway, clients with legacy, and Temporal are processes of
// their own; the worker is this one.
func BenchmarkMirroring(b *testing.B) {
	load := startLoad(b)
	s := assemble(b, "")
	s.work(b)
	operator := freeAddress(b)
	settings := append(s.settings, "data="+filepath.Join(s.dir, "measured"), "legacy.url=http://"+load,
		"listen.operator="+operator, "shadow.queue=5000", "shadow.compare.ignore=[/**]")
	door, pid, _ := spawnGatewayProcess(b, settings)
	const batch, rate = 200, 20
	url := fmt.Sprintf("http://%s/load?to=%s&field=doc_id&posts=%d&rate=%d&delay=10ms", load, door, batch, rate)
	var cpu [2]time.Duration
	var p50, p99 [2][]time.Duration
	measured := func(mirrored int, note bool) {
		s.setShadow(b, float64(mirrored*100))
		s.awaitShadow(b, operator, mirrored)
		before, done := cpuOf(b, pid), s.completed(b, operator)
		middle, high := loaded(b, url)
		if mirrored == 1 {
			within(b, 2*time.Minute, "all are compared", func() bool {
				time.Sleep(500 * time.Millisecond) // each look is work for the gateway
				return s.completed(b, operator) >= done+batch
			})
		}
		if note {
			cpu[mirrored] += cpuOf(b, pid) - before
			p50[mirrored], p99[mirrored] = append(p50[mirrored], middle), append(p99[mirrored], high)
		}
	}
	measured(0, false)
	measured(1, false)
	turns := 0
	for b.Loop() {
		measured(0, true)
		measured(1, true)
		turns++
	}
	for i, name := range []string{"plain", "mirrored"} {
		b.ReportMetric(float64(cpu[i].Microseconds())/float64(turns*batch), name+"-cpu-us/post")
		b.ReportMetric(float64(mean(p99[i]).Microseconds())/1000, name+"-p99-ms")
	}
	b.ReportMetric(float64(cpu[1])/float64(cpu[0]), "cpu-ratio")
	b.ReportMetric(float64(mean(p50[1]))/float64(mean(p50[0])), "p50-ratio")
	b.ReportMetric(float64(mean(p99[1]))/float64(mean(p99[0])), "p99-ratio")
}

// BenchmarkMirroringLegacyPathCPU is what mirroring every document adds to the CPU time
// of the legacy path itself: the answer is copied, offered, queued, and counted. The
// shadow runs, which come later and elsewhere, are left out, for there is no Temporal;
// BenchmarkMirroring has them in.
func BenchmarkMirroringLegacyPathCPU(b *testing.B) {
	load := startLoad(b)
	plain, mirrored := openDoor(b, load, noVariables, 0), openDoor(b, load, noVariables, 100)
	doors := [2]string{plain.PublicAddress(), mirrored.PublicAddress()}
	benchmarkCPU(b, load, doors, [2]string{"doc_id", "doc_id"}, [2]string{"plain", "mirrored"})
	text := string(get(b, http.DefaultClient, "http://"+mirrored.OperatorAddress()+"/metrics").body)
	if !strings.Contains(text, `rollout_shadow_dropped_total{reason="unsupported"`) { // they went through the queue
		b.Errorf("nothing was mirrored:\n%s", text)
	}
}

func mean(all []time.Duration) (m time.Duration) {
	for _, d := range all {
		m += d
	}
	return m / time.Duration(len(all))
}

// freeAddress is where nobody listens now.
func freeAddress(b *testing.B) string {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// awaitShadow waits until the gateway mirrors all or nothing.
func (s *stack) awaitShadow(b *testing.B, operator string, mirrored int) {
	b.Helper()
	eventually(b, "the flag is in force", func() bool {
		text := string(get(b, s.client, "http://"+operator+"/metrics").body)
		ready := mirrored == 0 || strings.Contains(text, `rollout_shadow_ready{route="documents"} 1`)
		return ready && strings.Contains(text, fmt.Sprintf("rollout_shadow_ratio %d\n", mirrored))
	})
}

// completed counts the sampled documents whose fate is known.
func (s *stack) completed(b *testing.B, operator string) uint64 {
	b.Helper()
	var report evidence.Report
	s.view(b, operator, &report)
	return accounted(&report)
}

// cpuOf is the CPU time that a process has used.
func cpuOf(b *testing.B, pid int) time.Duration {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	var user, system int64
	fields := strings.Fields(string(text)[strings.LastIndexByte(string(text), ')')+1:])
	if _, err := fmt.Sscan(fields[11], &user); err != nil {
		b.Fatal(err)
	}
	if _, err := fmt.Sscan(fields[12], &system); err != nil {
		b.Fatal(err)
	}
	const tick = 10 * time.Millisecond // Linux: a hundred a second, on every platform that Go knows
	return time.Duration(user+system) * tick
}
