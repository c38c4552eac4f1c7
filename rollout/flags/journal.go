package flags

import (
	"slices"
	"time"

	"go.uber.org/zap"

	"sluice/rollout"
)

// journal logs what changed from one snapshot to the next: each run of
// rejections once when it begins and once when it ends. Flags that fail for the
// same cause share a line.
func journal(log *zap.Logger, before, after *snapshot, now time.Time) {
	logBegun(log, before, after)
	for f, s := range after.flags {
		if was := before.flags[f]; was.rejected && !s.rejected {
			log.Info("the flag can be used again", zap.String("flag", keys[f]),
				zap.Duration("after", now.Sub(was.since)), zap.Int("rejected", was.count))
		}
	}
	logHeld(log, before, after)
	if before.policy != after.policy {
		log.Info("flag policy changed", zap.Uint64("epoch", after.policy.Epoch),
			zap.Stringer("exposure", after.policy.Exposure()), zap.Stringer("exposure_before", before.policy.Exposure()),
			zap.Stringer("rollout", after.policy.Flag), zap.Stringer("shadow", after.policy.Shadow),
			zap.Bool("kill", after.policy.Kill))
	}
}

func logBegun(log *zap.Logger, before, after *snapshot) {
	var told []rejection
	for f, s := range after.flags {
		if !s.rejected || before.flags[f].rejected || slices.Contains(told, *s.last) {
			continue
		}
		told = append(told, *s.last)
		var names, kept []string
		for g, other := range after.flags {
			if other.rejected && !before.flags[g].rejected && *other.last == *s.last {
				names = append(names, keys[g])
				kept = append(kept, valueText(after.good, flag(g)))
			}
		}
		log.Warn("the flag cannot be used: its last good value stays", zap.Strings("flags", names),
			zap.String("reason", string(s.last.reason)), zap.String("why", s.last.text), zap.Strings("values", kept))
	}
}

func logHeld(log *zap.Logger, before, after *snapshot) {
	switch {
	case after.held() && !before.held():
		log.Warn("a rise is held back: the exposure rises only while the percentage and "+Kill+" can be read together",
			zap.Stringer("rollout", after.good.Rollout), zap.Stringer("rollout_in_force", after.inForce.Rollout),
			zap.Stringer("shadow", after.good.Shadow), zap.Stringer("shadow_in_force", after.inForce.Shadow),
			zap.Bool("kill", after.good.Kill), zap.Bool("kill_in_force", after.inForce.Kill))
	case before.held() && !after.held():
		log.Info("no rise is held back any more")
	}
}

// value returns a flag's value: a percentage, 0..100, or a bool.
func value(r rollout.Reading, f flag) any {
	switch f {
	case rolloutFlag:
		return r.Rollout.Percent()
	case shadowFlag:
		return r.Shadow.Percent()
	}
	return r.Kill
}

func valueText(r rollout.Reading, f flag) string {
	switch f {
	case rolloutFlag:
		return r.Rollout.String()
	case shadowFlag:
		return r.Shadow.String()
	}
	if r.Kill {
		return "true"
	}
	return "false"
}
