package flags

import (
	"time"

	"sluice/rollout"
)

// snapshot is everything that one reading left behind. It is immutable.
type snapshot struct {
	policy *rollout.Policy
	// inForce is what the policy was made from.
	inForce rollout.Reading
	// good holds each flag's last good value; inForce may be held below it.
	good  rollout.Reading
	flags [flagCount]standing
}

// standing is what is known of one flag.
type standing struct {
	// read is when its value was last good; the reader's start before that.
	read time.Time
	// fresh: the value was good at least once since the start.
	fresh bool
	// rejected: its value was bad at the last reading.
	rejected bool
	// last is the newest rejection, of now or of earlier; nil if there was none.
	last *rejection
	// since is when the run of rejections began, at when its newest was.
	since, at time.Time
	// count is the length of that run.
	count int
}

// firstSnapshot is what is in force before anything has been read.
func firstSnapshot(epoch uint64, start rollout.Reading, now time.Time) *snapshot {
	s := &snapshot{policy: start.Policy(epoch), inForce: start, good: start}
	for f := range s.flags {
		s.flags[f].read = now
	}
	return s
}

// after returns the snapshot that follows from s by what was read at now.
func (s *snapshot) after(a answers, now time.Time) *snapshot {
	next := *s
	var fresh [flagCount]bool
	for f, rejected := range a.rejects {
		fresh[f] = rejected == nil
		next.flags[f] = s.flags[f].after(rejected, now)
	}
	next.good = merge(s.good, a.reading, fresh)
	next.inForce = follow(s.inForce, next.good, fresh)
	if next.inForce != s.inForce {
		next.policy = next.inForce.Policy(s.policy.Epoch + 1)
	}
	return &next
}

// merge takes the fresh flags' values over into the last good ones.
func merge(good, read rollout.Reading, fresh [flagCount]bool) rollout.Reading {
	if fresh[rolloutFlag] {
		good.Rollout = read.Rollout
	}
	if fresh[shadowFlag] {
		good.Shadow = read.Shadow
	}
	if fresh[killFlag] {
		good.Kill = read.Kill
	}
	return good
}

// follow returns what comes into force after inForce. Lowering needs nothing.
// Raising needs the kill flag fresh, and the number that would rise; lifting the
// kill needs the number it has been hiding.
func follow(inForce, good rollout.Reading, fresh [flagCount]bool) rollout.Reading {
	next := rollout.Reading{
		Rollout: min(inForce.Rollout, good.Rollout),
		Shadow:  min(inForce.Shadow, good.Shadow),
		Kill:    inForce.Kill || good.Kill,
	}
	if !fresh[killFlag] {
		return next
	}
	if fresh[rolloutFlag] {
		next.Rollout, next.Kill = good.Rollout, good.Kill
	}
	if fresh[shadowFlag] {
		next.Shadow = good.Shadow
	}
	return next
}

// held reports whether a good value waits for another flag to become readable.
func (s *snapshot) held() bool { return s.inForce != s.good }

func (s standing) after(rejected *rejection, now time.Time) standing {
	if rejected == nil {
		s.read, s.fresh, s.rejected = now, true, false
		return s
	}
	if !s.rejected {
		s.rejected, s.since, s.count = true, now, 0
	}
	s.last, s.at = rejected, now
	s.count++
	return s
}
