package flags

import (
	"time"

	"go.uber.org/zap"

	"sluice/rollout"
)

// begin returns what is in force before the source has been read, and logs
// where it comes from if that is not plain.
//
// The stored policy stays in force. The boot value replaces its percentage only
// downwards; it is a beginning only where nothing was ever stored. A state that
// cannot be understood counts as 0 %, whatever the boot value says, because it
// may have been 0.
func begin(path string, boot *rollout.Exposure, log *zap.Logger, now time.Time) *snapshot {
	if path == "" {
		return firstSnapshot(1, bootReading(boot), now)
	}
	stored, err := load(path)
	switch {
	case err != nil:
		log.Warn("the stored flag policy cannot be used: 0% is in force until the flags have been read, a boot value is ignored",
			zap.String("file", path), zap.Error(err))
		// The epoch that was lost is smaller than any clock's milliseconds.
		return firstSnapshot(uint64(now.UnixMilli()), rollout.Reading{}, now)
	case stored == nil:
		return firstSnapshot(1, bootReading(boot), now)
	}
	start, epoch := stored.InForce, stored.Epoch
	switch {
	case boot == nil || *boot == start.Rollout:
	case *boot < start.Rollout:
		log.Warn("the boot value TEMPORAL_ROLLOUT is lower than the stored policy: it is in force until the flags have been read",
			zap.Stringer("boot", *boot), zap.Stringer("stored", start.Rollout), zap.Uint64("stored_epoch", epoch))
		start.Rollout = *boot
		epoch++
	default:
		log.Warn("the boot value TEMPORAL_ROLLOUT is higher than the stored policy: it is ignored",
			zap.Stringer("boot", *boot), zap.Stringer("stored", start.Rollout), zap.Uint64("stored_epoch", epoch))
	}
	return firstSnapshot(epoch, start, now)
}

func bootReading(boot *rollout.Exposure) rollout.Reading {
	if boot == nil {
		return rollout.Reading{}
	}
	return rollout.Reading{Rollout: *boot}
}
