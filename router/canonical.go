package router

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// canonical returns one form of a path for all spellings that a common server may take
// for the same, given the path with its escapes undone once. It is generous where servers
// differ:
//
//   - escapes are undone as often as there are any, also IIS's %u002f and over-long UTF-8;
//   - a backslash is a slash, and what follows a NUL, a ? or a # is cut off;
//   - empty segments, dots, path parameters (;a=b), blanks around a segment, dots and
//     ::$DATA after it, and PHP's /index.php before all, count for nothing;
//   - letters are small, and those that look alike (full width, the Kelvin sign) are one.
func canonical(path string) string {
	path = folding(unescaped(norm.NFKC.String(path)))
	if end := strings.IndexAny(path, "\x00?#"); end >= 0 {
		path = path[:end]
	}
	var segments []string
	for segment := range strings.FieldsFuncSeq(path, func(c rune) bool { return c == '/' || c == '\\' }) {
		switch segment = bare(segment); segment {
		case "":
		case "..":
			segments = segments[:max(0, len(segments)-1)]
		default:
			segments = append(segments, segment)
		}
	}
	if len(segments) > 0 && segments[0] == "index.php" {
		segments = segments[1:]
	}
	return "/" + strings.Join(segments, "/")
}

// bare returns a segment without what some servers ignore in it: empty if that is all,
// and ".." for a step up.
func bare(segment string) string {
	segment, _, _ = strings.Cut(segment, ";")
	segment, _, _ = strings.Cut(segment, "::$")
	segment = strings.TrimFunc(segment, blank)
	if segment == ".." {
		return segment
	}
	return strings.TrimRightFunc(segment, func(c rune) bool { return c == '.' || blank(c) })
}

func blank(c rune) bool { return unicode.IsSpace(c) || unicode.IsControl(c) }

// withoutFormat returns a canonical path without the extensions at its end, such as
// .json, by which some frameworks choose the form of an answer. One begins with a letter:
// that of v1.0 is none. More than a few would be another resource.
func withoutFormat(path string) string {
	const few = 4
	for range few {
		dot := strings.LastIndexByte(path, '.')
		if dot < 0 || !isFormat(path[dot+1:]) {
			break
		}
		path = canonical(path[:dot])
	}
	return path
}

func isFormat(extension string) bool {
	for i, c := range []byte(extension) {
		letter, digit := 'a' <= c && c <= 'z', '0' <= c && c <= '9'
		if !letter && (!digit || i == 0) {
			return false
		}
	}
	return extension != "" && len(extension) <= 10
}

// folding returns the text in small letters, with one letter for all that are the same to
// a server that compares without regard to case, or maps letters to a smaller alphabet.
func folding(text string) string {
	ascii := true
	for i := 0; i < len(text) && ascii; i++ {
		ascii = text[i] < utf8.RuneSelf
	}
	if ascii {
		return strings.ToLower(text)
	}
	return strings.Map(func(c rune) rune { return unicode.ToLower(unicode.ToUpper(c)) }, norm.NFKC.String(text))
}

// unescaped undoes escapes until there are none, in one pass: an escape ends with its last
// digit, and what it stands for may itself be part of one.
func unescaped(text string) string {
	if strings.IndexByte(text, '%') < 0 && utf8.ValidString(text) {
		return text
	}
	out := make([]byte, 0, len(text))
	for i := range len(text) {
		out = append(out, text[i])
		for reduced := true; reduced; {
			out, reduced = reduce(out)
		}
	}
	return string(out)
}

// reduce undoes the escape that ends the text, if one does.
func reduce(text []byte) (shorter []byte, reduced bool) {
	n := len(text)
	if n >= 2 && (text[n-2] == 0xC0 || text[n-2] == 0xC1) && text[n-1]&0xC0 == 0x80 {
		return append(text[:n-2], text[n-2]<<6|text[n-1]&0x3F), true
	}
	if c := text[n-1]; (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
		return text, false
	}
	for _, form := range []struct {
		digits int
		before string
	}{{2, "%"}, {4, "%u"}} {
		from := n - form.digits
		begin := from - len(form.before)
		if begin < 0 || !strings.EqualFold(string(text[begin:from]), form.before) {
			continue
		}
		c, err := strconv.ParseUint(string(text[from:]), 16, 16)
		switch {
		case err != nil:
		case form.digits == 2:
			return append(text[:begin], byte(c)), true
		default:
			return utf8.AppendRune(text[:begin], rune(c)), true
		}
	}
	return text, false
}
