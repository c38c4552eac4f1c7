package configs

import "strings"

// Field returns the field's name and value; both are empty if it is none.
func (d DryRun) Field() (name, value string) {
	name, value, _ = strings.Cut(d.Header, ":")
	value = strings.TrimSpace(value)
	if name == "" || value == "" || strings.ContainsFunc(name, noToken) || strings.ContainsFunc(value, isControl) {
		return "", ""
	}
	return name, value
}

// noToken reports whether the character cannot stand in a field's name (RFC 9110).
func noToken(c rune) bool {
	letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
	return !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", c)
}

func isControl(c rune) bool { return c < ' ' || c == 0x7f }
