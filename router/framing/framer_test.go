package framing_test

import (
	"bufio"
	"bytes"
	"strings"
	"testing"

	"sluice/router/framing"
)

// Wherever in a message the framer can refuse, the spoiler makes net/http refuse.
func TestSpoilerSpoilsEverywhere(t *testing.T) {
	for _, row := range passingRows {
		for _, before := range []string{"", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"} {
			probe := framing.NewProbe(modelMaxHeaderBytes)
			probe.Scan([]byte(before))
			prefix := ""
			for i := range len(row.raw) {
				if !probe.InData() {
					wantSpoiled(t, before, prefix)
				}
				handed, _ := probe.Scan([]byte(row.raw[i : i+1]))
				prefix += string(handed)
			}
		}
	}
}

func wantSpoiled(t *testing.T, before, prefix string) {
	t.Helper()
	in := bufio.NewReader(strings.NewReader(before + prefix + framing.Spoiler))
	probe := framing.NewProbe(modelMaxHeaderBytes)
	if before != "" {
		if _, err := readMessage(in, probe); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := readMessage(in, probe); err == nil || strings.Contains(got.body, "\x00") {
		t.Errorf("net/http makes %+v, %v of %q and the spoiler", got, err, prefix)
	}
}

func TestScanAllocatesNothing(t *testing.T) {
	request := []byte(typicalRequest)
	probe := framing.NewProbe(1 << 20)
	var refused string
	inHalves := func() {
		for _, piece := range [][]byte{request[:1], request[1:300], request[300:]} {
			if _, why := probe.Scan(piece); why != "" {
				refused = why
			}
		}
	}
	if n := testing.AllocsPerRun(100, inHalves); n != 0 || refused != "" {
		t.Errorf("%v allocations for each request, refused %q", n, refused)
	}
}

// The octet classes are RFC 9110's, and a control character is found wherever
// in a value it stands.
func TestOctets(t *testing.T) {
	const tokens = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	for c := range 256 {
		b := byte(c)
		if got, want := framing.IsTokenByte(b), strings.IndexByte(tokens, b) >= 0; got != want {
			t.Errorf("token byte %#x: %v, want %v", c, got, want)
		}
		for at := range 20 {
			value := bytes.Repeat([]byte("\xff\t~ "), 5)
			value[at] = b
			want := -1
			if b < ' ' && b != '\t' || b == 0x7f {
				want = at
			}
			if got := framing.ControlAt(value); got != want {
				t.Errorf("control character %#x at %d found at %d, want %d", c, at, got, want)
			}
		}
	}
}
