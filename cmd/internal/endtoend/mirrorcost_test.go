package endtoend_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/rollout/evidence"
)

// BenchmarkMirroring is what mirroring every document costs, at 20 documents a second
// with a legacy that takes 10 ms: latencies as clients see them, and all of a gateway's
// CPU time. Two gateways serve the same load in the same seconds, of which one mirrors,
// by turns: Temporal and the worker are on this machine too, and are in the way of both.
// What is left is what the gateway does. Gateways, clients with legacy, and Temporal are
// processes of their own; the worker is this one.
func BenchmarkMirroring(b *testing.B) {
	load := startLoad(b)
	s := assemble(b, "")
	s.work(b)
	doors := [2]*measuredDoor{s.measuredDoor(b, load, "one"), s.measuredDoor(b, load, "two")}
	const posts, rate = 600, 20
	turn := func(mirrors int) (did [2]served) {
		var done uint64
		for i, d := range doors {
			d.mirror(b, i == mirrors)
			if i == mirrors {
				done = d.completed(b)
			}
		}
		time.Sleep(2 * time.Second) // what was on the way is done
		var before [2]time.Duration
		var serving sync.WaitGroup
		for i, d := range doors {
			before[i] = cpuOf(b, d.pid)
			serving.Go(func() {
				time.Sleep(time.Duration(i) * time.Second / rate / 2)
				url := fmt.Sprintf("http://%s/load?to=%s&field=doc_id&posts=%d&rate=%d&delay=10ms", load, d.address, posts, rate)
				did[i].p50, did[i].p99 = loaded(b, url)
			})
		}
		serving.Wait()
		time.Sleep(5 * time.Second) // for both, so that the last ones are compared
		for i, d := range doors {
			did[i].cpu = cpuOf(b, d.pid) - before[i]
		}
		if compared := doors[mirrors].completed(b) - done; compared < posts {
			b.Errorf("%d of %d documents were mirrored in time", compared, posts)
		}
		return did
	}
	turn(0) // which nobody counts
	var plain, mirrored served
	turns := 0
	for b.Loop() {
		for mirrors := range doors {
			did := turn(mirrors)
			mirrored.add(did[mirrors])
			plain.add(did[1-mirrors])
			turns++
		}
	}
	for name, d := range map[string]served{"plain": plain, "mirrored": mirrored} {
		b.ReportMetric(float64(d.cpu.Microseconds())/float64(turns*posts), name+"-cpu-us/post")
		b.ReportMetric(float64(d.p99.Microseconds())/1000/float64(turns), name+"-p99-ms")
	}
	b.ReportMetric(float64(mirrored.cpu)/float64(plain.cpu), "cpu-ratio")
	b.ReportMetric(float64(mirrored.p50)/float64(plain.p50), "p50-ratio")
	b.ReportMetric(float64(mirrored.p99)/float64(plain.p99), "p99-ratio")
}

// served is what a load took, summed over turns.
type served struct{ cpu, p50, p99 time.Duration }

func (s *served) add(more served) {
	s.cpu, s.p50, s.p99 = s.cpu+more.cpu, s.p50+more.p50, s.p99+more.p99
}

// measuredDoor is a gateway in a process of its own.
type measuredDoor struct {
	*stack   // which it has a flag file of its own beside
	address  string
	operator string
	pid      int
}

func (s *stack) measuredDoor(b *testing.B, load, name string) *measuredDoor {
	b.Helper()
	d := &measuredDoor{stack: &stack{flagFile: filepath.Join(s.dir, name+".json"), client: s.client}, operator: freeAddress(b)}
	d.setShadow(b, 0)
	settings := append(slices.Clone(s.settings), "data="+filepath.Join(s.dir, name), "legacy.url=http://"+load,
		"rollout.flags.file="+d.flagFile, "listen.operator="+d.operator, "shadow.queue=5000", "shadow.compare.ignore=[/**]")
	d.address, d.pid, _ = spawnGatewayProcess(b, settings)
	return d
}

// mirror has the gateway mirror all or nothing.
func (d *measuredDoor) mirror(b *testing.B, all bool) {
	b.Helper()
	ratio := 0
	if all {
		ratio = 1
	}
	d.setShadow(b, float64(ratio*100))
	eventually(b, "the flag is in force", func() bool {
		text := string(get(b, d.client, "http://"+d.operator+"/metrics").body)
		ready := !all || strings.Contains(text, `rollout_shadow_ready{route="documents"} 1`)
		return ready && strings.Contains(text, fmt.Sprintf("rollout_shadow_ratio %d\n", ratio))
	})
}

// completed counts the sampled documents whose fate is known.
func (d *measuredDoor) completed(b *testing.B) uint64 {
	b.Helper()
	var report evidence.Report
	d.view(b, d.operator, &report)
	return accounted(&report)
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
