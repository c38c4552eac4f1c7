package compare

// string reads a string with its quotes.
func (p *parser) string() error {
	start, escaped := p.at+1, false
	raw := p.raw
	for at := start; at < len(raw); at++ {
		switch c := raw[at]; {
		case c == '"':
			p.at = at + 1
			return p.add(valueString, start, at, escaped)
		case c < ' ':
			p.at = at
			return p.wrong("a control character in a string")
		case c == '\\':
			size := escapeSize(raw[at:])
			if size == 0 {
				p.at = at
				return p.wrong("an escape that JSON does not have")
			}
			escaped = true
			at += size - 1
		}
	}
	p.at = len(raw)
	return p.wrong("")
}

// escapeSize returns how many bytes the escape takes, or 0 if it is none.
func escapeSize(raw []byte) int {
	if len(raw) < 2 {
		return 0
	}
	switch raw[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(raw) < 6 {
			return 0
		}
		for _, c := range raw[2:6] {
			if lower := c | 0x20; (c < '0' || c > '9') && (lower < 'a' || lower > 'f') {
				return 0
			}
		}
		return 6
	}
	return 0
}

// number reads a number.
func (p *parser) number() error {
	start := p.at
	if p.raw[p.at] == '-' {
		p.at++
	}
	if p.at < len(p.raw) && p.raw[p.at] == '0' {
		p.at++
	} else if !p.digits() {
		return p.wrong("a digit is missing")
	}
	if p.at < len(p.raw) && p.raw[p.at] == '.' {
		p.at++
		if !p.digits() {
			return p.wrong("a digit is missing")
		}
	}
	if p.at < len(p.raw) && p.raw[p.at]|0x20 == 'e' {
		p.at++
		if p.at < len(p.raw) && (p.raw[p.at] == '+' || p.raw[p.at] == '-') {
			p.at++
		}
		if !p.digits() {
			return p.wrong("a digit is missing")
		}
	}
	return p.add(valueNumber, start, p.at, false)
}

// digits reads digits; false if there is none.
func (p *parser) digits() bool {
	start := p.at
	for p.at < len(p.raw) && '0' <= p.raw[p.at] && p.raw[p.at] <= '9' {
		p.at++
	}
	return p.at > start
}
