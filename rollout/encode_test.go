package rollout_test

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"sluice/rollout"
)

func randomHolding(rng *rand.Rand) *rollout.Holding {
	h := &rollout.Holding{DocID: strings.Repeat("é", rng.IntN(20)), Version: rng.Uint64N(1 << 40)}
	for range rng.IntN(4) {
		c := rollout.Claim{
			Intent: rollout.KeyedIntent("r", "", h.DocID, string(rune('a'+rng.IntN(26)))), Route: "documents",
			Life: rng.Uint64N(1 << 45), Path: rollout.Path(rng.IntN(2)), State: rollout.ClaimState(rng.IntN(6)),
			Owner: "gateway-1", Epoch: rng.Uint64N(100), Born: rng.Int64N(1 << 45), Settled: rng.Int64N(1 << 45),
			Attempts: rng.Uint32(), Unsettled: rng.Uint32N(3), Accepted: rng.IntN(2) == 0, Broken: rng.Uint32N(9),
		}
		if rng.IntN(3) == 0 {
			c.Delayed, c.Begins = rng.IntN(2) == 0, rng.Int64N(1<<45)
		}
		if rng.IntN(3) == 0 {
			c.Trial = rollout.Trial{
				Counts: rng.IntN(2) == 0, Arm: rollout.Path(rng.IntN(2)), Exposure: rollout.Exposure(rng.IntN(1_000_001)),
				Ended: rng.IntN(2) == 0, Timed: rng.IntN(2) == 0,
			}
		}
		c.Digest[3] = byte(rng.IntN(256))
		for range rng.IntN(3) {
			c.Sends = append(c.Sends, rollout.Sends{Owner: "g", Count: rng.Uint32N(9), Last: rng.Int64N(1 << 45)})
		}
		h.Claims = append(h.Claims, c)
	}
	if rng.IntN(2) == 0 {
		h.LastBad = rng.Int64N(1 << 45)
	}
	return h
}

func TestHoldingSurvivesItsEncoding(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		h := randomHolding(rng)
		got, err := rollout.ParseHolding(rollout.AppendHolding(nil, h))
		if err != nil || !reflect.DeepEqual(got, h) {
			t.Fatalf("%+v became %+v, %v", h, got, err)
		}
	}
}

func TestEveryPrefixOfAnEncodingIsRefused(t *testing.T) {
	h := randomHolding(rand.New(rand.NewPCG(3, 5)))
	h.LastBad = 0 // which comes last, and without it the rest is a holding of before
	encoded := rollout.AppendHolding(nil, h)
	for n := range encoded {
		if h, err := rollout.ParseHolding(encoded[:n]); !errors.Is(err, rollout.ErrEncoding) {
			t.Errorf("%d of %d bytes were read as %+v, %v", n, len(encoded), h, err)
		}
	}
}

// This is how a holding was written before there were trials, delays and bad events.
func TestHoldingOfBeforeIsRead(t *testing.T) {
	before := []byte("\x01\x03doc\x07\x01" + // version, doc_id, change 7, one claim
		"\x01k" + "0123456789abcdef" + "\x01r\x01g" + // intent, digest, route, owner
		"\x87" + "\x05\x06\x07\x08\x02\x01\x00" + // Temporal, lost, accepted; life, epoch, born, settled, attempts, unsettled, broken
		"\x01\x01s\x02\x09") // one owner's two sends
	want := rollout.Claim{
		Intent: "k", Digest: [16]byte([]byte("0123456789abcdef")), Route: "r", Owner: "g",
		Path: rollout.Temporal, State: rollout.ClaimDead, Accepted: true, Life: 5, Epoch: 6, Born: 7, Settled: 8,
		Attempts: 2, Unsettled: 1, Sends: []rollout.Sends{{Owner: "s", Count: 2, Last: 9}},
	}
	h, err := rollout.ParseHolding(before)
	if err != nil || !reflect.DeepEqual(*h, rollout.Holding{DocID: "doc", Version: 7, Claims: []rollout.Claim{want}}) {
		t.Fatalf("%+v, %v", h, err)
	}
	if again := rollout.AppendHolding(nil, h); string(again) != string(before) {
		t.Errorf("it is written as %x, was %x", again, before)
	}
}

// Books are counted from records without reading them whole.
func TestOpenClaimsOfAnyRecordAreCounted(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 7))
	for range 2000 {
		h := randomHolding(rng)
		want := uint64(0)
		for i := range h.Claims {
			if h.Claims[i].Open() {
				want++
			}
		}
		var books rollout.Books
		err := books.CountOpen(rollout.AppendHolding(nil, h))
		got := uint64(0)
		for i := range books {
			got += books[i].Open
		}
		if err != nil || got != want {
			t.Fatalf("%d of %d open claims, %v: %+v", got, want, err, h)
		}
	}
}

func FuzzParseHolding(f *testing.F) {
	f.Add(rollout.AppendHolding(nil, randomHolding(rand.New(rand.NewPCG(3, 6)))))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := rollout.ParseHolding(b)
		if err != nil {
			return
		}
		again, err := rollout.ParseHolding(rollout.AppendHolding(nil, h))
		if err != nil || !reflect.DeepEqual(again, h) {
			t.Errorf("%+v became %+v, %v", h, again, err)
		}
	})
}
