package rollout

import "testing"

func TestKeepExcess(t *testing.T) {
	k := Keep{Count: 3, Bytes: 10}
	for _, c := range []struct {
		sizes []int64
		want  int
	}{
		{nil, 0}, {[]int64{1, 1, 1}, 0}, {[]int64{1, 1, 1, 1}, 1}, {[]int64{9, 1, 1}, 1}, {[]int64{1, 10}, 1}, {[]int64{11}, 1}, {[]int64{1, 11}, 2},
	} {
		if got := k.Excess(c.sizes); got != c.want {
			t.Errorf("%v: %d go, want %d", c.sizes, got, c.want)
		}
	}
}
