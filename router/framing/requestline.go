package framing

import (
	"bytes"
	"net/netip"
)

// requestLine takes a line, without its CRLF, where a request line is expected.
func (f *framer) requestLine(text []byte) reason {
	if len(text) == 0 {
		return emptyLine // after a request for another protocol; see step
	}
	if bytes.IndexByte(text, '\r') >= 0 {
		return bareCR
	}
	method, rest, _ := bytes.Cut(text, []byte(" "))
	target, version, ok := bytes.Cut(rest, []byte(" "))
	if !ok || !isToken(method) || len(method) > maxMethod {
		return badRequestLine
	}
	switch string(version) {
	case "HTTP/1.1":
	case "HTTP/1.0":
		f.head.http10 = true
	case "HTTP/2.0":
		return http2Preface
	default:
		return badVersion
	}
	f.state = inFields
	return f.target(method, target)
}

// target checks the request target. What it lets through, url.ParseRequestURI
// parses.
func (f *framer) target(method, target []byte) reason {
	if controlAt(target) >= 0 || bytes.IndexByte(target, '\t') >= 0 || bytes.IndexByte(target, '#') >= 0 {
		return badTarget
	}
	switch {
	case string(method) == "CONNECT":
		f.head.upgrade = true
		if validAuthority(target, true) {
			return accepted
		}
		return badTarget
	case len(target) > 0 && target[0] == '/':
		return checkPath(target)
	case string(target) == "*" && string(method) == "OPTIONS":
		return accepted
	}
	return f.absoluteForm(target)
}

// absoluteForm remembers the authority for the comparison with the Host field:
// net/http believes the one, a server behind it may believe the other. Where they
// differ by the scheme's own port, the target's is what is sent on as Host.
func (f *framer) absoluteForm(target []byte) reason {
	scheme, rest, _ := bytes.Cut(target, []byte("://"))
	switch {
	case equalFold(scheme, "http"):
		f.head.port = ":80"
	case equalFold(scheme, "https"):
		f.head.port = ":443"
	default:
		return badTarget
	}
	authority, path := rest, []byte(nil)
	if i := bytes.IndexAny(rest, "/?"); i >= 0 {
		authority, path = rest[:i], rest[i:]
	}
	if !validAuthority(authority, false) {
		return badTarget
	}
	f.head.authority = append(f.head.authority[:0], authority...)
	return checkPath(path)
}

// checkPath checks the percent signs of the path, and what they and the bytes
// above ASCII stand for; the query's may be anything.
func checkPath(target []byte) reason {
	path, _, _ := bytes.Cut(target, []byte("?"))
	before := byte(0)
	for len(path) > 0 {
		c := path[0]
		path = path[1:]
		if c == '%' {
			if len(path) < 2 {
				return badTarget
			}
			high, okHigh := hexValue(path[0])
			low, okLow := hexValue(path[1])
			if c, path = byte(high<<4|low), path[2:]; !okHigh || !okLow {
				return badTarget
			}
			if c == 0 {
				return nulInPath
			}
		}
		if overlong(before, c) {
			return overlongInPath
		}
		before = c
	}
	return accepted
}

// overlong reports whether two bytes begin a longer form of UTF-8 than the
// character needs, which some servers still read as that character: C0 AF as a
// slash (RFC 3629, section 10).
func overlong(first, second byte) bool {
	switch first {
	case 0xc0, 0xc1:
		return 0x80 <= second && second <= 0xbf
	case 0xe0:
		return 0x80 <= second && second <= 0x9f
	case 0xf0:
		return 0x80 <= second && second <= 0x8f
	}
	return false
}

// validAuthority reports whether b is host[:port]. It is narrower than RFC 3986:
// no user information, no percent signs, no zone, no empty port.
func validAuthority(b []byte, needPort bool) bool {
	host, port, hasPort := b, []byte(nil), false
	if i := bytes.LastIndexByte(b, ':'); i > bytes.LastIndexByte(b, ']') {
		host, port, hasPort = b[:i], b[i+1:], true
	}
	if hasPort && !all(port, isDigit) || needPort && !hasPort {
		return false
	}
	if len(host) > 2 && host[0] == '[' && host[len(host)-1] == ']' {
		addr, err := netip.ParseAddr(string(host[1 : len(host)-1]))
		return err == nil && addr.Is6() && addr.Zone() == ""
	}
	return all(host, isHostByte)
}

func isHostByte(c byte) bool {
	c = lower(c)
	return isDigit(c) || 'a' <= c && c <= 'z' || c == '-' || c == '.' || c == '_' || c == '~'
}

// all reports whether b is not empty and every byte of it is allowed.
func all(b []byte, allowed func(byte) bool) bool {
	for _, c := range b {
		if !allowed(c) {
			return false
		}
	}
	return len(b) > 0
}
