package rollout

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// encoding is the first byte of an encoded holding.
const encoding = 1

// delayed is the flag of a claim whose start was delayed. One more field follows
// such a claim, so that the claims of before are read as they were written.
const delayed = 1 << 6

// tried is the flag of a claim that counts for the guardrails. Two more fields follow
// such a claim.
const tried = 1 << 4

// stuck is the flag of a claim that only an operator can settle.
const stuck = 1 << 5

// ErrEncoding says that bytes are not an encoded holding.
var ErrEncoding = errors.New("not an encoded holding")

// ErrNewerEncoding says that a newer build has encoded a holding: it is no damage.
var ErrNewerEncoding = errors.New("a newer build of sluice has written it: run that one")

// AppendHolding appends the holding's encoding, which every store uses: compact,
// and the same for the same holding.
func AppendHolding(b []byte, h *Holding) []byte {
	b = append(b, encoding)
	b = appendText(b, h.DocID)
	b = binary.AppendUvarint(b, h.Version)
	b = binary.AppendUvarint(b, uint64(len(h.Claims)))
	for i := range h.Claims {
		b = appendClaim(b, &h.Claims[i])
	}
	if h.LastBad != 0 {
		b = binary.AppendUvarint(b, uint64(h.LastBad))
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendClaim(b []byte, c *Claim) []byte {
	b = appendText(b, string(c.Intent))
	b = append(b, c.Digest[:]...)
	b = appendText(b, c.Route)
	b = appendText(b, c.Owner)
	flags := byte(c.Path) | byte(c.State)<<1
	if c.Delayed || c.Begins != 0 {
		flags |= delayed
	}
	if c.Stuck {
		flags |= stuck
	}
	if c.Accepted {
		flags |= 1 << 7
	}
	if c.Trial != (Trial{}) {
		flags |= tried
	}
	b = append(b, flags)
	for _, n := range []uint64{c.Life, c.Epoch, uint64(c.Born), uint64(c.Settled), uint64(c.Attempts), uint64(c.Unsettled), uint64(c.Broken), uint64(len(c.Sends))} {
		b = binary.AppendUvarint(b, n)
	}
	for _, s := range c.Sends {
		b = appendText(b, s.Owner)
		b = binary.AppendUvarint(b, uint64(s.Count))
		b = binary.AppendUvarint(b, uint64(s.Last))
	}
	if flags&delayed != 0 {
		begins := uint64(c.Begins) << 1
		if c.Delayed {
			begins |= 1
		}
		b = binary.AppendUvarint(b, begins)
	}
	if flags&tried != 0 {
		b = append(b, c.Trial.flags())
		b = binary.AppendUvarint(b, uint64(c.Trial.Exposure))
	}
	return b
}

// flags packs all but the exposure.
func (t *Trial) flags() byte {
	b := byte(t.Arm)
	for i, set := range []bool{t.Counts, t.Ended, t.Timed, t.Placed} {
		if set {
			b |= 2 << i
		}
	}
	return b
}

func (p *parser) trial() Trial {
	b := p.byte()
	t := Trial{Arm: Path(b & 1), Counts: b&2 != 0, Ended: b&4 != 0, Timed: b&8 != 0, Placed: b&16 != 0, Exposure: Exposure(p.number())}
	p.bad = p.bad || b > 31 || t.Exposure > All
	return t
}

// ParseHolding reads what AppendHolding wrote. It fails with ErrEncoding.
func ParseHolding(b []byte) (*Holding, error) {
	p := parser{rest: b}
	if version := p.byte(); version > encoding {
		return nil, fmt.Errorf("%w, but of version %d: %w", ErrEncoding, version, ErrNewerEncoding)
	} else if version != encoding {
		return nil, fmt.Errorf("%w: version %d", ErrEncoding, version)
	}
	h := &Holding{DocID: p.text(), Version: p.number()}
	for n := p.count(); n > 0 && !p.bad; n-- {
		h.Claims = append(h.Claims, p.claim())
	}
	if len(p.rest) > 0 {
		h.LastBad = int64(p.number())
	}
	if p.bad || len(p.rest) > 0 {
		return nil, ErrEncoding
	}
	return h, nil
}

// parser reads fields until one is not there; then bad stays set.
type parser struct {
	rest []byte
	bad  bool
}

func (p *parser) take(n uint64) []byte {
	if p.bad || n > uint64(len(p.rest)) {
		p.bad = true
		return nil
	}
	taken := p.rest[:n]
	p.rest = p.rest[n:]
	return taken
}

func (p *parser) byte() byte {
	if b := p.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (p *parser) number() uint64 {
	n, size := binary.Uvarint(p.rest)
	if size <= 0 {
		p.bad = true
		return 0
	}
	p.rest = p.rest[size:]
	return n
}

// count reads a number of elements, none of which is shorter than a byte.
func (p *parser) count() uint64 {
	n := p.number()
	if n > uint64(len(p.rest)) {
		p.bad = true
		return 0
	}
	return n
}

func (p *parser) text() string { return string(p.take(p.number())) }

// skip passes over a text.
func (p *parser) skip() { p.take(p.number()) }

// peek passes over a claim, and returns its route and whether it is open.
func (p *parser) peek() (route []byte, open bool) {
	p.skip()
	p.take(uint64(len(Claim{}.Digest)))
	route = p.take(p.number())
	p.skip()
	flags := p.byte()
	open = stateOf(flags) == ClaimOpen
	for range 7 {
		p.number()
	}
	for n := p.count(); n > 0 && !p.bad; n-- {
		p.skip()
		p.number()
		p.number()
	}
	if flags&delayed != 0 {
		p.number()
	}
	if flags&tried != 0 {
		p.byte()
		p.number()
	}
	return route, open && !p.bad
}

// stateOf returns the state in a claim's flags.
func stateOf(flags byte) ClaimState { return ClaimState(flags >> 1 & 0x07) }

func (p *parser) claim() Claim {
	var c Claim
	c.Intent = Intent(p.text())
	copy(c.Digest[:], p.take(uint64(len(c.Digest))))
	c.Route, c.Owner = p.text(), p.text()
	flags := p.byte()
	c.Path, c.State, c.Stuck, c.Accepted = Path(flags&1), stateOf(flags), flags&stuck != 0, flags>>7 == 1
	if int(c.State) >= len(claimStates) {
		p.bad = true
	}
	c.Life, c.Epoch = p.number(), p.number()
	c.Born, c.Settled = int64(p.number()), int64(p.number())
	c.Attempts, c.Unsettled, c.Broken = uint32(p.number()), uint32(p.number()), uint32(p.number())
	for n := p.count(); n > 0 && !p.bad; n-- {
		c.Sends = append(c.Sends, Sends{Owner: p.text(), Count: uint32(p.number()), Last: int64(p.number())})
	}
	if flags&delayed != 0 {
		begins := p.number()
		c.Begins, c.Delayed = int64(begins>>1), begins&1 == 1
	}
	if flags&tried != 0 {
		c.Trial = p.trial()
	}
	return c
}
