package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"time"
)

// setFlags edits the flag file in one piece, as a careful operator does.
func (s *stage) setFlags(percent float64, kill bool) error {
	return s.writeFlags(fmt.Sprintf(`{"flags":{
 "temporal-rollout-percentage":{"state":"ENABLED","defaultVariant":"now","variants":{"now":%v}},
 "temporal-shadow-percentage":{"state":"ENABLED","defaultVariant":"none","variants":{"none":0}},
 "temporal-rollout-kill":{"state":"ENABLED","defaultVariant":"now","variants":{"now":%v}}}}`, percent, kill))
}

func (s *stage) writeFlags(text string) error {
	draft := s.flagFile() + ".new"
	if err := os.WriteFile(draft, []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(draft, s.flagFile())
}

// moves is about how many there are in a small run.
const moves = 60

// operate moves the percentage, flips the kill switch and breaks the flag file
// until ctx ends or all wishes have begun. The moves keep step with the wishes,
// of which most would else fall into the times when nothing goes to Temporal and
// all is quick.
func (s *stage) operate(ctx context.Context) error {
	rng := rand.New(rand.NewPCG(s.config.Seed, 0x09e4a704))
	percents := []float64{0, 1, 10, 50, 50, 75, 90, 100, 100}
	for s.clients.Issued() < s.config.Intents {
		next := s.clients.Issued() + 1 + rng.IntN(2*max(1, min(s.config.Intents/moves, 200)))
		for s.clients.Issued() < min(next, s.config.Intents) {
			if !pause(ctx, 20*time.Millisecond) {
				return nil
			}
		}
		var err error
		switch luck := rng.IntN(12); luck {
		case 0:
			s.mark("kill switch", "on")
			err = s.setFlags(s.config.Most/2, true)
		case 1:
			s.mark("flags broken", "")
			err = s.writeFlags(`{"flags": {"temporal-rollout-percentage": `)
		case 2:
			s.mark("flags broken", "gone")
			err = os.Remove(s.flagFile())
		default:
			percent := percents[rng.IntN(len(percents))] * s.config.Most / 100
			s.mark("percentage", "%v", percent)
			err = s.setFlags(percent, false)
		}
		if err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}
