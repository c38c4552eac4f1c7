//go:build !chaos

package gateway

import (
	"strings"
	"testing"
)

// What the chaos harness switches off cannot be switched off in a build that is
// released.
func TestTheProtectionCannotBeSwitchedOff(t *testing.T) {
	g := &Gateway{options: Options{Lookup: func(name string) (string, bool) { return "claims", name == withoutVariable }}}
	if _, err := g.weakened(nil); err == nil || !strings.Contains(err.Error(), withoutVariable) {
		t.Errorf("got %v", err)
	}
}
