package framing

// Spoiler is what net/http gets in place of a message that breaks a rule.
const Spoiler = spoiler

// Probe shows the tests where the framer believes to be.
type Probe struct {
	f     framer
	aside asideSection
}

func NewProbe(maxHeaderBytes int) *Probe {
	return &Probe{f: framer{maxHead: maxHeaderBytes + serverSlop}}
}

// Scan returns what is to be handed on, which is in buf but for a trailer section.
func (p *Probe) Scan(buf []byte) (handed []byte, why string) {
	out, _, r := p.f.scan(buf)
	handed = buf[:out:out]
	if ended := p.f.ended; ended != nil {
		p.f.ended = nil
		handed = append(handed, p.aside.inBand(ended)...)
	}
	return handed, string(r)
}

// Aside returns the last trailer section that was kept aside.
func (p *Probe) Aside() []byte { return p.aside.section }

// AtStart: between two messages, or in a request line.
func (p *Probe) AtStart() bool { return p.f.state == atRequestLine || p.f.state == atEmptyLineLF }

func (p *Probe) InHead() bool { return p.f.state == atRequestLine || p.f.state == inFields }

// InLine: a line has begun.
func (p *Probe) InLine() bool { return len(p.f.line) > 0 }

func (p *Probe) InTrailer() bool { return p.f.state == inTrailer || p.f.state == atTrailerLF }

// InData: the next byte is the body's content, whatever it is.
func (p *Probe) InData() bool { return p.f.state == inFixedBody || p.f.state == inChunkData }

// AsideField is asideField.
const AsideField = asideField

// ControlAt is controlAt.
func ControlAt(b []byte) int { return controlAt(b) }

// IsTokenByte is isTokenByte.
func IsTokenByte(c byte) bool { return isTokenByte(c) }
