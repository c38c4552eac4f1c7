package embedded

import "sluice/rollout"

// totals are how often what was counted since the directory was made, by epoch in
// rising order: the newest, which nearly all changes count, are found first.
type totals struct {
	counts []rollout.Count
	epochs int
}

// maxEpochs bounds them. What an older policy counts after so many newer ones is
// dropped.
const maxEpochs = 512

// at returns where the count is; or, and false, where it belongs.
func (t *totals) at(c rollout.Count) (int, bool) {
	i := len(t.counts)
	for ; i > 0 && t.counts[i-1].Epoch >= c.Epoch; i-- {
		if have := &t.counts[i-1]; have.Epoch == c.Epoch && have.What() == c.What() {
			return i - 1, true
		}
	}
	return i, false
}

// of returns how often it was counted.
func (t *totals) of(c rollout.Count) uint64 {
	if i, found := t.at(c); found {
		return t.counts[i].Times
	}
	return 0
}

func (t *totals) add(c rollout.Count) {
	i, found := t.at(c)
	if found {
		t.counts[i].Times += c.Times
		return
	}
	if i == len(t.counts) || t.counts[i].Epoch != c.Epoch {
		t.epochs++
	}
	t.counts = append(t.counts, rollout.Count{})
	copy(t.counts[i+1:], t.counts[i:])
	t.counts[i] = c
	if t.epochs > maxEpochs {
		t.dropOldest()
	}
}

func (t *totals) dropOldest() {
	n := 0
	for n < len(t.counts) && t.counts[n].Epoch == t.counts[0].Epoch {
		n++
	}
	t.counts = append(t.counts[:0], t.counts[n:]...)
	t.epochs--
}

// strike takes a count out again.
func (t *totals) strike(c rollout.Count) {
	if i, found := t.at(c); found {
		t.counts[i].Times -= min(c.Times, t.counts[i].Times)
	}
}

// less returns by how much they are above the others. What is below, because a
// loss of power cost some, is no difference.
func (t *totals) less(others *totals) []rollout.Count {
	var more []rollout.Count
	epoch := others.counts // from the count's epoch on: both are in order
	for _, c := range t.counts {
		for len(epoch) > 0 && epoch[0].Epoch < c.Epoch {
			epoch = epoch[1:]
		}
		for i := 0; i < len(epoch) && epoch[i].Epoch == c.Epoch; i++ {
			if epoch[i].What() == c.What() {
				c.Times -= min(c.Times, epoch[i].Times)
				break
			}
		}
		if c.Times > 0 {
			more = append(more, c)
		}
	}
	return more
}

// lower makes none higher than the others. After a loss of power what is counted
// anew is a difference at once.
func (t *totals) lower(others *totals) {
	was := t.counts
	*t = totals{}
	for _, c := range was {
		if has := others.of(c); has > 0 {
			c.Times = min(c.Times, has)
			t.add(c)
		}
	}
}

// parseTotals reads what rollout.AppendCounts wrote, and returns what follows.
func parseTotals(b []byte) (t totals, rest []byte, err error) {
	rest, err = rollout.ParseCounts(b, t.add)
	return t, rest, err
}
