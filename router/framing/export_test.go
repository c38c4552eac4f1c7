package framing

// Spoiler is what net/http gets in place of a message that breaks a rule.
const Spoiler = spoiler

// Probe shows the tests where the framer believes to be.
type Probe struct{ f framer }

func NewProbe(maxHeaderBytes int) *Probe {
	return &Probe{framer{maxHead: maxHeaderBytes + serverSlop}}
}

func (p *Probe) Scan(src []byte) (n int, why string) {
	n, r := p.f.scan(src)
	return n, string(r)
}

// AtStart: between two messages, or in a request line.
func (p *Probe) AtStart() bool { return p.f.state == atRequestLine }

func (p *Probe) InHead() bool { return p.f.state == atRequestLine || p.f.state == inFields }

// InData: the next byte is the body's content, whatever it is.
func (p *Probe) InData() bool { return p.f.state == inFixedBody || p.f.state == inChunkData }

// ControlAt is controlAt.
func ControlAt(b []byte) int { return controlAt(b) }

// IsTokenByte is isTokenByte.
func IsTokenByte(c byte) bool { return isTokenByte(c) }
