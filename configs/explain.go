package configs

import (
	"errors"
	"os"
)

// Wrong is what is wrong with a key's value, as found by the part that uses it.
type Wrong struct {
	// Key is the path of the key, such as routes[0].doc_id.
	Key string
	Err error
}

// Error names the key first.
func (w *Wrong) Error() string { return w.Key + ": " + w.Err.Error() }

// Unwrap returns what is wrong.
func (w *Wrong) Unwrap() error { return w.Err }

// At returns err as a *Wrong of the key, nil if it is nil.
func At(key string, err error) error {
	if err == nil {
		return nil
	}
	return &Wrong{key, err}
}

// Explain returns err as Load puts what it finds itself: each *Wrong that it joins with
// the line of its key in the file. An error without one is returned as it is.
func Explain(path string, err error) error {
	found := &Problems{File: path}
	text, _ := os.ReadFile(path) // without it there are no lines
	lines, keyed := linesOf(text), false
	for _, one := range joined(err) {
		var wrong *Wrong
		if errors.As(one, &wrong) {
			found.add(lines.of(wrong.Key), wrong.Key, "%v", wrong.Err)
			keyed = true
			continue
		}
		found.add(0, "", "%v", one)
	}
	if !keyed {
		return err
	}
	return found.err()
}

// joined returns the errors that were joined into one.
func joined(err error) (all []error) {
	if err == nil {
		return nil
	}
	several, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	for _, one := range several.Unwrap() {
		all = append(all, joined(one)...)
	}
	return all
}
