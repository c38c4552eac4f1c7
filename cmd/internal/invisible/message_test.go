package invisible_test

import (
	"bufio"
	"io"
	"strconv"
	"strings"
)

// field is one line of a head or a trailer section. Names are in lower case, for
// their letter case is not kept.
type field struct{ name, value string }

// message is one HTTP message as it stood on the wire.
type message struct {
	start   string // the request line or the status line
	fields  []field
	framing string // none, length, chunked, close: how the end of the body was told
	body    string
	trailer []field
}

// values returns the values of all lines of the name, in their order.
func (m *message) values(name string) (values []string) { return valuesOf(m.fields, name) }

func valuesOf(fields []field, name string) (values []string) {
	for _, f := range fields {
		if f.name == name {
			values = append(values, f.value)
		}
	}
	return values
}

// has reports whether one of the field's lines has the word.
func (m *message) has(name, word string) bool {
	return strings.Contains(strings.ToLower(strings.Join(m.values(name), ",")), word)
}

// without removes the fields of the names.
func (m *message) without(names ...string) {
	var kept []field
	for _, f := range m.fields {
		if !matches(f.name, names) {
			kept = append(kept, f)
		}
	}
	m.fields = kept
}

// matches reports whether the name is in the list, in which a dash at the end stands
// for all names that begin so.
func matches(name string, list []string) bool {
	for _, l := range list {
		if name == l || strings.HasSuffix(l, "-") && strings.HasPrefix(name, l) {
			return true
		}
	}
	return false
}

// method and target are those of a request.
func (m *message) method() string { return word(m.start, 0) }
func (m *message) target() string { return word(m.start, 1) }

// status is that of an answer; 0 if the line has none.
func (m *message) status() int {
	n, _ := strconv.Atoi(word(m.start, 1))
	return n
}

// word returns the n-th word of a start line, whose last one may have blanks.
func word(line string, n int) string {
	words := strings.SplitN(line, " ", 3)
	if n >= len(words) {
		return ""
	}
	return words[n]
}

// readHead reads up to the empty line.
func readHead(in *bufio.Reader) (m message, err error) {
	if m.start, err = readLine(in); err != nil {
		return m, err
	}
	m.fields, err = readFields(in)
	return m, err
}

func readLine(in *bufio.Reader) (string, error) {
	line, err := in.ReadString('\n')
	return strings.TrimRight(line, "\r\n"), err
}

func readFields(in *bufio.Reader) (fields []field, err error) {
	for {
		line, err := readLine(in)
		if err != nil || line == "" {
			return fields, err
		}
		name, value, _ := strings.Cut(line, ":")
		fields = append(fields, field{strings.ToLower(name), strings.Trim(value, " \t")})
	}
}

// readBody reads what follows the head. An error means that it broke off; what came
// before is in the message.
func (m *message) readBody(in *bufio.Reader, untilEnd bool) error {
	length := m.values("content-length")
	switch {
	case m.has("transfer-encoding", "chunked"):
		m.framing = "chunked"
		return m.readChunks(in)
	case len(length) > 0:
		m.framing = "length"
		n, err := strconv.ParseInt(length[0], 10, 64)
		if err != nil {
			return err
		}
		return m.take(in, n)
	case untilEnd:
		m.framing = "close"
		rest, err := io.ReadAll(in)
		m.body += string(rest)
		return err
	}
	m.framing = "none"
	return nil
}

func (m *message) take(in *bufio.Reader, n int64) error {
	var body strings.Builder
	body.WriteString(m.body)
	_, err := io.CopyN(&body, in, n)
	m.body = body.String()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

func (m *message) readChunks(in *bufio.Reader) error {
	var body strings.Builder
	defer func() { m.body += body.String() }()
	for {
		line, err := readLine(in)
		if err != nil {
			return io.ErrUnexpectedEOF
		}
		size, _, _ := strings.Cut(line, ";")
		n, err := strconv.ParseInt(strings.Trim(size, " \t"), 16, 64)
		if err != nil {
			return err
		}
		if n == 0 {
			if m.trailer, err = readFields(in); err != nil {
				return io.ErrUnexpectedEOF
			}
			return nil
		}
		if _, err := io.CopyN(&body, in, n); err != nil {
			return io.ErrUnexpectedEOF
		}
		if _, err := readLine(in); err != nil {
			return io.ErrUnexpectedEOF
		}
	}
}
