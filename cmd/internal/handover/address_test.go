package handover

import "testing"

func TestSameAddress(t *testing.T) {
	for _, c := range []struct {
		address, setting string
		want             bool
	}{
		{"127.0.0.1:80", "127.0.0.1:80", true},
		{"127.0.0.1:80", "127.0.0.1:81", false},
		{"127.0.0.1:80", "127.0.0.2:80", false},
		{"127.0.0.1:80", "127.0.0.1:0", true},
		{"127.0.0.1:80", ":80", false},
		{"[::]:80", ":80", true},
		{"[::]:80", "0.0.0.0:80", true},
		{"[::1]:80", "[::1]:80", true},
		{"127.0.0.1:80", "nonsense", false},
	} {
		if got := same(c.address, c.setting); got != c.want {
			t.Errorf("%s for %s: %v", c.address, c.setting, got)
		}
	}
}
