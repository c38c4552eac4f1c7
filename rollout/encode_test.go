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
		c.Digest[3] = byte(rng.IntN(256))
		for range rng.IntN(3) {
			c.Sends = append(c.Sends, rollout.Sends{Owner: "g", Count: rng.Uint32N(9), Last: rng.Int64N(1 << 45)})
		}
		h.Claims = append(h.Claims, c)
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
	encoded := rollout.AppendHolding(nil, randomHolding(rand.New(rand.NewPCG(3, 5))))
	for n := range encoded {
		if h, err := rollout.ParseHolding(encoded[:n]); !errors.Is(err, rollout.ErrEncoding) {
			t.Errorf("%d of %d bytes were read as %+v, %v", n, len(encoded), h, err)
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
