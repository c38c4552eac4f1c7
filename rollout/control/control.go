// Package control decides when exposure rises and when it drops. It is pure: a
// plan, its progress, the evidence and the time go in, a decision and the next
// progress come out. Whoever calls it stores the progress and the decision
// together before they take effect.
//
// Two ceilings are its own. The plan is what the evidence has earned; the brake is
// what safety permits. The flag is the operators'. The lowest of the three rules.
//
//	               begin                          advance
//	(no progress) ───────▶ ┌──────────────────┐ ──────────▶ the next step,
//	                       │ running, a step  │             until the last
//	        ┌────────────▶ │ (hold)           │
//	        │ all gone     └──────────────────┘
//	        │                 │ held, kill, flag or brake below the step,
//	┌───────────────┐         │ disarmed, plan changed
//	│ paused        │ ◀───────┘
//	└───────────────┘
//	        │ a breach, or an operator's rollback; from running and paused alike,
//	        ▼ with and without a plan
//	┌───────────────────────────┐  release (a human, with a reason)
//	│ braked: floor, latched    │ ───────▶ running or paused, at the first step
//	│ (rollback once, pause)    │          that serves documents
//	└───────────────────────────┘
//
// The actions are a closed set. Advance: the next step is in force. Hold: the step
// goes on, and its dwell runs, unless a breach holds because legacy is unhealthy.
// Pause: the dwell stands still. Rollback: the brake is at its floor.
//
// Invariants:
//   - Tick raises nothing but the plan, by one step, on a certificate: its dwell
//     watched, its evidence, no breach, a fair sample, its external gates, and
//     last, where the step wants it, an approval that was given when due.
//   - A breach that rolls back is looked at first, in every state. Only where
//     legacy itself is proved unhealthy it holds, with an alarm, and goes as soon
//     as legacy is not. An operator's rollback always goes.
//   - The brake stays at its floor until a human releases it. A rollback voids the
//     earned steps.
//   - After a human lowered the exposure (rollback, ceiling, flag, kill), the plan
//     does not rise until a human re-arms it.
//   - Time without ticks folds into one tick, and counts for at most a minute: what
//     nobody watched proves nothing. One tick is at most one step.
//   - The progress is all there is to know: a restart resumes from it.
package control
