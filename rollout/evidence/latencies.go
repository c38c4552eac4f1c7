package evidence

import (
	"maps"
	"math"
	"slices"
	"time"

	"sluice/rollout/compare/certificate"
)

// latencies counts durations in buckets whose edges are a factor apart, so that
// what is read from them is exact to 2 %. The bucket n holds what is above
// growth^(n-1) microseconds and at most growth^n.
type latencies map[int]uint64

const growth = 1.02

func (l latencies) add(d time.Duration) { l[bucketOf(d)]++ }

func bucketOf(d time.Duration) int {
	return int(math.Ceil(math.Log(max(1, float64(d)/float64(time.Microsecond))) / math.Log(growth)))
}

func edge(bucket int) time.Duration {
	return time.Duration(math.Pow(growth, float64(bucket)) * float64(time.Microsecond))
}

func (l latencies) merge(other latencies) {
	for bucket, n := range other {
		l[bucket] += n
	}
}

func (l latencies) count() (n uint64) {
	for _, count := range l {
		n += count
	}
	return n
}

// at returns the bucket of the value with the rank, from 1, of all in order.
func (l latencies) at(rank uint64) int {
	var seen uint64
	for _, bucket := range slices.Sorted(maps.Keys(l)) {
		if seen += l[bucket]; seen >= rank {
			return bucket
		}
	}
	return 0
}

// p99 returns the p99 and its bounds at the confidence of both together.
func (l latencies) p99(confidence float64) certificate.Quantile {
	n := l.count()
	if n == 0 {
		return certificate.Quantile{}
	}
	q := certificate.Quantile{N: n, P99: edge(l.at((n*99 + 99) / 100))}
	low, high := certificate.Ranks(n, certificate.Side(confidence))
	if low > 0 {
		q.Low = edge(l.at(low) - 1)
	}
	if high > 0 {
		q.High, q.Bounded = edge(l.at(high)), true
	}
	return q
}
