package embedded

import (
	"sync"

	"sluice/rollout"
)

// shard is a part of the index.
type shard struct {
	mu     sync.Mutex
	closed bool           // guarded by mu
	table  table          // guarded by mu
	owners map[string]int // guarded by mu; how often each owns an open claim or its sends

	// books are of what this process did.
	books rollout.Books // guarded by mu

	// Room to work in, guarded by mu.
	before, after []byte
	owned         []string
	was           []rollout.Claim
	postings      []rollout.Posting
	counts        []rollout.Count
}

// roomy is the most room that a shard keeps between two updates.
const roomy = 4 << 10

// trim gives back the room that a large holding took.
func (s *shard) trim() {
	if cap(s.before) > roomy {
		s.before = nil
	}
	if cap(s.after) > roomy {
		s.after = nil
	}
	clear(s.owned)
	if clear(s.was); cap(s.was) > 8 {
		s.was = nil
	}
	clear(s.postings)
	if cap(s.counts) > 64 {
		s.counts = nil
	}
}

// post enters what was stored into the books.
func (s *shard) post() {
	for _, p := range s.postings {
		s.books.Post(p)
	}
}

// own counts the owners of a holding that takes the place of one with the owners
// in s.owned.
func (s *shard) own(h *rollout.Holding) {
	for _, owner := range s.owned {
		if s.owners[owner]--; s.owners[owner] == 0 {
			delete(s.owners, owner)
		}
	}
	s.owned = appendOwners(s.owned[:0], h)
	if s.owners == nil {
		s.owners = map[string]int{}
	}
	for _, owner := range s.owned {
		s.owners[owner]++
	}
}

// appendOwners appends the owner of each open claim, and of its sends.
func appendOwners(owners []string, h *rollout.Holding) []string {
	for i := range h.Claims {
		c := &h.Claims[i]
		if !c.Open() {
			continue
		}
		owners = append(owners, c.Owner)
		for j := range c.Sends {
			owners = append(owners, c.Sends[j].Owner)
		}
	}
	return owners
}

// wait returns after the update that is under way.
func (s *shard) wait() {
	s.mu.Lock()
	defer s.mu.Unlock()
}

// close makes later updates fail, and gives the memory back.
func (s *shard) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed, s.table, s.owners = true, table{}, nil
}
