package framing

import (
	"io"
	"time"
)

// lookAhead bounds what look reads, in bytes.
const lookAhead = 8 << 10

// look reads what has come of the current message's body into ready, and reports
// whether nothing more will come. It is for the goroutine in Read.
func (c *Conn) look(wait time.Duration) bool {
	if len(c.ready) > 0 || c.cut || c.refused.Load() || c.released.Load() || c.framer.state == atRequestLine {
		return c.cut || c.refused.Load()
	}
	if c.SetReadDeadline(time.Now().Add(wait)) != nil {
		return false // a connection without deadlines could keep us for ever
	}
	defer func() { _ = c.SetReadDeadline(time.Time{}) }() // it worked before
	ahead, used := make([]byte, lookAhead), 0
	for whole := c.framer.messages; used < len(ahead) && c.framer.messages == whole && !c.refused.Load(); {
		n, err := c.read(ahead[used:])
		used += n
		if err != nil {
			c.cut = err == io.EOF
			break
		}
	}
	c.ready = append(ahead[:used:used], c.ready...)
	return c.cut || c.refused.Load()
}
