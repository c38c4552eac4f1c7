package loop

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// Who decided last is not shown as who decides, whether the others can still look or
// are cut off.
func TestWhoHasGoneIsNotShownToDecide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s := newStand(t)
		a := s.gateway(ctx, "a")
		shown := func(want string) {
			t.Helper()
			if v, err := a.View(&s.session.Policy); err != nil || v.Leader != want || v.At.IsZero() {
				t.Errorf("leader %q since %v, %v; want %q", v.Leader, v.At, err, want)
			}
		}
		s.after(3*time.Second, func() { shown("a") })
		s.after(0, func() { s.away["a"] = true })
		time.Sleep(time.Minute)
		shown("") // cut off
		s.after(0, func() { s.away["a"] = false })
		s.after(3*time.Second, func() { shown("a") })
		cancel()
		time.Sleep(time.Minute)
		if err := a.Learn(t.Context()); err != nil {
			t.Fatal(err)
		}
		shown("") // it can look, and nobody decides
	})
}
