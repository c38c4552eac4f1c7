// Package flags reads what operators allow: three flags, by OpenFeature, from a
// file, a flag service or the environment.
//
// Invariants:
//   - Requests never wait for a flag source: Policy is one atomic load of an
//     immutable value. One goroutine evaluates and publishes.
//   - A value counts only if it proves itself. The SDK returns the caller's
//     default without an error for a flag that is disabled or has no value, so
//     a percentage is asked for with a default that is none, and the kill flag
//     with either default: only a value that both agree on is one.
//   - A bad value leaves the flag's last good value in force.
//   - Whatever lowers the exposure takes effect at once, from any flag that
//     could be read. The exposure rises only by a reading in which the
//     percentage and the kill flag were good together. So no failure of the
//     source raises it, not even one that hides half of an edit.
//   - The kill flag is evaluated before and after the percentages: an edit in
//     the middle of a reading makes the two differ, and the reading is repeated.
//   - An answer that comes after its deadline is thrown away.
//   - What is in force is kept on disk. Disk and source may hang or fail: a
//     rollback is not delayed, a restart raises nothing. A policy is published
//     first and then kept, so a crash in the milliseconds between, with the
//     source down at the restart, brings back the policy before it.
//   - A state file that cannot be understood may have said 0: then 0 is in force
//     until the source has been read.
//   - The epoch grows by one with each change, across restarts.
package flags

import "slices"

// The flags, by their keys.
const (
	// Rollout is the share of documents that may be served by Temporal, in
	// percent, 0..100.
	Rollout = "temporal-rollout-percentage"
	// Shadow is the share of legacy's documents that are mirrored, in percent,
	// 0..100.
	Shadow = "temporal-shadow-percentage"
	// Kill, a bool, sends every document to legacy and mirrors none.
	Kill = "temporal-rollout-kill"
)

// flag is the place of a flag in lists.
type flag int

const (
	rolloutFlag flag = iota
	shadowFlag
	killFlag
	flagCount
)

var keys = [flagCount]string{Rollout, Shadow, Kill}

// Keys lists the flags, in the order operators see them.
func Keys() []string { return slices.Clone(keys[:]) }
