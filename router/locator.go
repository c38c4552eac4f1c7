package router

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-chi/chi/v5"

	"sluice/rollout"
	"sluice/rollout/coding"
)

type place uint8

const (
	placeBody place = iota
	placeHeader
	placePath
	placeQuery
)

// Locator says where in a request the doc_id is.
type Locator struct {
	place   place
	name    string
	pointer []string // unescaped reference tokens, for placeBody
}

// String returns the locator as ParseLocator reads it.
func (l Locator) String() string {
	return [...]string{"body", "header", "path", "query"}[l.place] + ":" + l.name
}

// ParseLocator reads "body:/json/pointer" (RFC 6901), "header:Name",
// "path:name" (a part of the route's pattern) or "query:name".
func ParseLocator(text string) (Locator, error) {
	kind, rest, ok := strings.Cut(text, ":")
	if !ok || rest == "" {
		return Locator{}, fmt.Errorf("doc_id %q: write body:/pointer, header:Name, path:name or query:name", text)
	}
	switch kind {
	case "body":
		pointer, err := parsePointer(rest)
		return Locator{place: placeBody, name: rest, pointer: pointer}, err
	case "header":
		return Locator{place: placeHeader, name: http.CanonicalHeaderKey(rest)}, nil
	case "path":
		return Locator{place: placePath, name: rest}, nil
	case "query":
		return Locator{place: placeQuery, name: rest}, nil
	}
	return Locator{}, fmt.Errorf("doc_id %q: %q is not one of body, header, path and query", text, kind)
}

func parsePointer(text string) ([]string, error) {
	if !strings.HasPrefix(text, "/") {
		return nil, fmt.Errorf("JSON Pointer %q must begin with a slash", text)
	}
	tokens := strings.Split(text[1:], "/")
	for i, token := range tokens {
		for j := 0; j < len(token); j++ {
			if token[j] == '~' && (j+1 == len(token) || token[j+1] != '0' && token[j+1] != '1') {
				return nil, fmt.Errorf("JSON Pointer %q: ~ must be followed by 0 or 1", text)
			}
		}
		tokens[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
	}
	return tokens, nil
}

// find returns the request's doc_id; fields are its header, end to end, and c undoes
// its codings. The error is one of those that rollout.UnroutableReason knows.
func (l Locator) find(c *codings, r *http.Request, fields http.Header, body []byte) (string, error) {
	id, err := l.raw(c, r, fields, body)
	if err != nil {
		return "", err
	}
	return id, rollout.CheckDocID(id)
}

func (l Locator) raw(c *codings, r *http.Request, fields http.Header, body []byte) (string, error) {
	switch l.place {
	case placeHeader:
		return only(fields[l.name])
	case placePath:
		return pathPart(r, chi.URLParam(r, l.name))
	case placeQuery:
		return inQuery(r.URL.RawQuery, l.name)
	default:
		return l.inBody(c, coding.Names(fields["Content-Encoding"]), body)
	}
}

// pathPart returns a part of the path, as chi matched it, without escapes.
func pathPart(r *http.Request, part string) (string, error) {
	if r.URL.RawPath == "" {
		return part, nil
	}
	text, err := url.PathUnescape(part) // chi matched the escaped path
	if err != nil {
		return "", fmt.Errorf("%w: %w", rollout.ErrDocIDUTF8, err)
	}
	return text, nil
}

// pathParts returns the named parts of the route's pattern; nil if it has none. What
// cannot be unescaped stays as it is.
func pathParts(r *http.Request) map[string]string {
	var parts map[string]string
	if matched := chi.RouteContext(r.Context()); matched != nil {
		for i, name := range matched.URLParams.Keys {
			if parts == nil {
				parts = map[string]string{}
			}
			text, err := pathPart(r, matched.URLParams.Values[i])
			if err != nil {
				text = matched.URLParams.Values[i]
			}
			parts[name] = text
		}
	}
	return parts
}

// inBody reads the body as JSON, behind its codings if it is in any.
func (l Locator) inBody(c *codings, names []string, body []byte) (string, error) {
	if len(body) == 0 {
		return "", rollout.ErrBodyEmpty
	}
	if len(names) == 0 {
		return findInJSON(bytes.NewReader(bytes.TrimPrefix(body, []byte(mark))), l.pointer)
	}
	text, done, err := c.open(names, body)
	if err != nil {
		return "", err
	}
	defer done()
	buffered := bufio.NewReader(text)
	if head, _ := buffered.Peek(len(mark)); string(head) == mark { // an error comes again
		_, _ = buffered.Discard(len(mark)) // these bytes are there
	}
	return findInJSON(buffered, l.pointer)
}

// inQuery returns the parameter's value. Pairs that cannot be decoded, or that
// hold a semicolon, are legacy's affair, unless legacy could take one for a
// second doc_id: some parsers keep the former, some split at the latter.
func inQuery(raw, name string) (string, error) {
	query, err := url.ParseQuery(raw)
	if err == nil {
		return only(query[name])
	}
	named := 0
	for pair := range strings.FieldsFuncSeq(raw, func(c rune) bool { return c == '&' || c == ';' }) {
		key, _, _ := strings.Cut(pair, "=")
		if text, err := url.QueryUnescape(key); err == nil && text == name {
			named++
		}
	}
	switch {
	case named > 1:
		return "", errors.Join(rollout.ErrDocIDDuplicated, err)
	case len(query[name]) == 0:
		return "", errors.Join(rollout.ErrDocIDMissing, err)
	}
	return only(query[name])
}

func only(values []string) (string, error) {
	switch len(values) {
	case 0:
		return "", rollout.ErrDocIDMissing
	case 1:
		return values[0], nil
	}
	return "", rollout.ErrDocIDDuplicated
}
