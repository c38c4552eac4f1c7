package framing

import "encoding/binary"

// isTokenByte reports whether c may stand in a token (RFC 9110, section 5.6.2).
func isTokenByte(c byte) bool {
	const tokens = (1<<10-1)<<'0' | (1<<26-1)<<'A' | (1<<26-1)<<'a' |
		1<<'!' | 1<<'#' | 1<<'$' | 1<<'%' | 1<<'&' | 1<<'\'' | 1<<'*' | 1<<'+' |
		1<<'-' | 1<<'.' | 1<<'^' | 1<<'_' | 1<<'`' | 1<<'|' | 1<<'~'
	return (uint64(1)<<c)&(tokens&(1<<64-1))|(uint64(1)<<(c-64))&(tokens>>64) != 0
}

func isToken(b []byte) bool {
	for _, c := range b {
		if !isTokenByte(c) {
			return false
		}
	}
	return len(b) > 0
}

// controlAt is the place of the first control character other than HTAB, or -1.
func controlAt(b []byte) int {
	const (
		ones = 0x0101010101010101
		tops = 0x8080808080808080
	)
	i := 0
	for ; len(b)-i >= 8; i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		below := (w - ones*0x20) & ^w & tops
		del := w ^ ones*0x7f
		if below | (del-ones) & ^del & tops == 0 {
			continue // the common case: eight bytes without any control character
		}
		if j := controlIn(b[i : i+8]); j >= 0 {
			return i + j
		}
	}
	if j := controlIn(b[i:]); j >= 0 {
		return i + j
	}
	return -1
}

func controlIn(b []byte) int {
	for i, c := range b {
		if isControl(c) {
			return i
		}
	}
	return -1
}

func isControl(c byte) bool { return c < ' ' && c != '\t' || c == 0x7f }

// trimSpace cuts the optional whitespace (RFC 9110, section 5.6.3) from both ends.
func trimSpace(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' }

// equalFold compares without regard to ASCII case. bytes.EqualFold would take
// the Kelvin sign for a k.
func equalFold[T, U []byte | string](a T, b U) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// hexValue is the value of one hexadecimal digit; ok tells whether c is one.
func hexValue(c byte) (v uint64, ok bool) {
	switch c = lower(c); {
	case isDigit(c):
		return uint64(c - '0'), true
	case 'a' <= c && c <= 'f':
		return uint64(c-'a') + 10, true
	}
	return 0, false
}
