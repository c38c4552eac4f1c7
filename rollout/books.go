package rollout

import "encoding/binary"

// Posting is one thing that happened to a claim, for the books: a life was taken
// (State is ClaimOpen, and Path does not matter), or it was settled.
type Posting struct {
	Route string
	Path  Path
	State ClaimState
}

// Tally counts postings, by path and state. Openings are counted under Legacy.
type Tally [2][ClaimVoid + 1]uint64

// Account is one route's page in the books.
type Account struct {
	Route string
	Tally Tally
	// Open is how many claims are open, as counted where they are stored. It does
	// not come from the postings: so the two can be held against each other.
	Open uint64
}

// Books are the accounts of all routes. Those that there are are few.
type Books []Account

// Post enters a posting.
func (b *Books) Post(p Posting) { b.PostTimes(p, 1) }

// PostTimes enters the same posting n times.
func (b *Books) PostTimes(p Posting, n uint64) {
	if p.State == ClaimOpen {
		p.Path = Legacy
	}
	b.account(p.Route).Tally[p.Path][p.State] += n
}

// Strike takes a posting out again.
func (b *Books) Strike(p Posting) { b.PostTimes(p, ^uint64(0)) }

// account returns the route's, a new one if there is none.
func (b *Books) account(route string) *Account {
	for i := range *b {
		if (*b)[i].Route == route {
			return &(*b)[i]
		}
	}
	*b = append(*b, Account{Route: route})
	return &(*b)[len(*b)-1]
}

// Add adds what other books say.
func (b *Books) Add(other Books) {
	for i := range other {
		a := b.account(other[i].Route)
		a.Open += other[i].Open
		for path := range a.Tally {
			for state := range a.Tally[path] {
				a.Tally[path][state] += other[i].Tally[path][state]
			}
		}
	}
}

// CountOpen counts the open claims of an encoded holding. It fails with
// ErrEncoding.
func (b *Books) CountOpen(record []byte) error {
	p := parser{rest: record}
	if p.byte() != encoding {
		return ErrEncoding
	}
	p.skip()
	p.number()
	for n := p.count(); n > 0 && !p.bad; n-- {
		route, open := p.peek()
		if open {
			b.open(route)
		}
	}
	if p.bad {
		return ErrEncoding
	}
	return nil
}

// open counts an open claim; it copies the route only if it is new.
func (b *Books) open(route []byte) {
	for i := range *b {
		if (*b)[i].Route == string(route) {
			(*b)[i].Open++
			return
		}
	}
	b.account(string(route)).Open++
}

// Balance is an account as operators look at it. Accepted is the sum of the
// others, or there is a Residue.
type Balance struct {
	// Accepted are the lives that were taken (a new intent, a new life of one, a
	// retry that goes to legacy again), but for those that ended void: nothing
	// ran in them.
	Accepted int64
	// Legacy are those that ended on legacy: answered, however, or sent and lost.
	Legacy int64
	// Temporal are those whose workflow completed, or failed and left nothing.
	Temporal int64
	// InFlight are open, as counted in the store.
	InFlight int64
	// DeadLetter are those that may have left something behind on Temporal: the
	// saga gave up, or an operator settled them as lost.
	DeadLetter int64
	// Residue: so many lives are on no record any more; below 0, so many are that
	// were never taken.
	Residue int64
}

// Balance strikes the account's balance.
func (a *Account) Balance() Balance {
	legacy, temporal := &a.Tally[Legacy], &a.Tally[Temporal]
	b := Balance{InFlight: int64(a.Open)}
	b.Accepted = int64(legacy[ClaimOpen] - legacy[ClaimVoid] - temporal[ClaimVoid])
	b.Legacy = int64(legacy[ClaimDone] + legacy[ClaimFailed] + legacy[ClaimDead] + legacy[ClaimLost])
	b.Temporal = int64(temporal[ClaimDone] + temporal[ClaimFailed])
	b.DeadLetter = int64(temporal[ClaimDead] + temporal[ClaimLost])
	b.Residue = b.Accepted - b.Legacy - b.Temporal - b.InFlight - b.DeadLetter
	return b
}

// WriteOff takes the residue out of the account, and returns it: for claims that
// are known to be lost, and are counted as taken again if they are restored.
func (a *Account) WriteOff() int64 {
	residue := a.Balance().Residue
	a.Tally[Legacy][ClaimOpen] -= uint64(residue)
	return residue
}

// AppendBooks appends the books' encoding, without what is open.
func AppendBooks(b []byte, books Books) []byte {
	b = append(b, encoding)
	b = binary.AppendUvarint(b, uint64(len(books)))
	for i := range books {
		b = appendText(b, books[i].Route)
		for _, states := range books[i].Tally {
			for _, n := range states {
				b = binary.AppendUvarint(b, n)
			}
		}
	}
	return b
}

// ParseBooks reads what AppendBooks wrote. It fails with ErrEncoding.
func ParseBooks(b []byte) (Books, error) {
	p := parser{rest: b}
	if p.byte() != encoding {
		return nil, ErrEncoding
	}
	var books Books
	for n := p.count(); n > 0 && !p.bad; n-- {
		a := Account{Route: p.text()}
		for path := range a.Tally {
			for state := range a.Tally[path] {
				a.Tally[path][state] = p.number()
			}
		}
		books = append(books, a)
	}
	if p.bad || len(p.rest) > 0 {
		return nil, ErrEncoding
	}
	return books, nil
}
