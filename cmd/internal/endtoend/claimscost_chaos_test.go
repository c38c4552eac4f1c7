//go:build chaos

package endtoend_test

import "testing"

// BenchmarkLegacyPathCPUWithout is BenchmarkLegacyPathCPU with the same requests to
// the same gateway, but for its claims, which are switched off in the other one.
func BenchmarkLegacyPathCPUWithout(b *testing.B) {
	load := startLoad(b)
	without := func(name string) (string, bool) {
		if name == "SLUICE_CHAOS_WITHOUT" {
			return "claims", true
		}
		return "", false
	}
	doors := [2]string{openDoor(b, load, without, 0).PublicAddress(), openDoor(b, load, noVariables, 0).PublicAddress()}
	benchmarkCPU(b, load, doors, [2]string{"doc_id", "doc_id"}, [2]string{"without", "claimed"})
}
