package rollout

// Note is what one gateway has put down about a subject, for all of them to read.
// What a note says is up to who writes it; a store only keeps it.
type Note struct {
	Owner string
	Body  []byte
	// Orphan: its owner is another gateway, and has no living lease.
	Orphan bool
}

// Keep bounds what is kept of a subject's samples; of more, the oldest go.
type Keep struct {
	Count int
	Bytes int64
}

// Excess returns how many of the samples have to go, given their sizes in bytes
// from the oldest to the newest. The newest goes too if it alone is too large.
func (k Keep) Excess(sizes []int64) (excess int) {
	var total int64
	for _, size := range sizes {
		total += size
	}
	for excess < len(sizes) && (len(sizes)-excess > k.Count || total > k.Bytes) {
		total -= sizes[excess]
		excess++
	}
	return excess
}
