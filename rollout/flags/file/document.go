package file

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/open-feature/go-sdk/openfeature"
)

// document reads one file's text. Its errors name the file and the line.
type document struct {
	path  string
	raw   []byte
	dec   *jsontext.Decoder
	flags map[string]definition
}

// parse returns the definitions by flag, good and bad, or the fault that leaves
// no flag readable. Duplicate names and invalid UTF-8 are such faults.
func parse(path string, raw []byte) (map[string]definition, *openfeature.ResolutionError) {
	d := &document{path: path, raw: raw, dec: jsontext.NewDecoder(bytes.NewReader(raw))}
	if err := d.read(); err != nil {
		fault := openfeature.NewParseErrorResolutionError(err.Error())
		return nil, &fault
	}
	return d.flags, nil
}

func (d *document) read() error {
	if len(bytes.TrimSpace(d.raw)) == 0 {
		return fmt.Errorf("%s: the file is empty", d.path)
	}
	if err := d.members("the file", d.member); err != nil {
		return err
	}
	if _, err := d.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return d.errorf("there is text after the closing brace")
	}
	if d.flags == nil {
		return fmt.Errorf(`%s: there is no "flags" member`, d.path)
	}
	return nil
}

// member reads one member of the whole document.
func (d *document) member(name string) error {
	switch {
	case name == "flags":
		d.flags = map[string]definition{}
		return d.members(`"flags"`, d.flag)
	case name == "metadata" || strings.HasPrefix(name, "$"):
		return d.syntax(d.dec.SkipValue())
	}
	return d.errorf(`unknown member %q: only "flags", "metadata" and names that begin with "$" may stand here`, name)
}

func (d *document) flag(name string) error {
	line := d.line(d.dec.InputOffset())
	raw, err := d.dec.ReadValue()
	if err != nil {
		return d.syntax(err)
	}
	place := fmt.Sprintf("%s:%d: flag %s", d.path, line, name)
	d.flags[name] = define(place, raw.Clone())
	return nil
}

// members reads an object and calls each with every name; each reads the value.
func (d *document) members(what string, each func(name string) error) error {
	if kind := d.dec.PeekKind(); kind != '{' && kind != 0 {
		return d.errorf("%s must be a JSON object", what)
	}
	if _, err := d.dec.ReadToken(); err != nil {
		return d.syntax(err)
	}
	for d.dec.PeekKind() != '}' {
		name, err := d.dec.ReadToken()
		if err != nil {
			return d.syntax(err)
		}
		if err := each(name.String()); err != nil {
			return err
		}
	}
	_, err := d.dec.ReadToken()
	return d.syntax(err)
}

// syntax says in whose file and on which line the text stops being JSON.
func (d *document) syntax(err error) error {
	var bad *jsontext.SyntacticError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s:%d: the file breaks off in the middle of its JSON", d.path, d.line(int64(len(d.raw))))
	case errors.As(err, &bad):
		return fmt.Errorf("%s:%d: not valid JSON: %w", d.path, d.line(bad.ByteOffset), bad.Err)
	}
	return d.errorf("not valid JSON: %w", err)
}

func (d *document) errorf(format string, args ...any) error {
	return fmt.Errorf("%s:%d: %w", d.path, d.line(d.dec.InputOffset()), fmt.Errorf(format, args...))
}

// line returns the number of the line, from 1, that holds the offset.
func (d *document) line(offset int64) int {
	return 1 + bytes.Count(d.raw[:min(offset, int64(len(d.raw)))], []byte("\n"))
}
