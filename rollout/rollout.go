// Package rollout is the hub of the house: the words that every other package
// speaks, and the decisions that need nothing but their arguments.
//
// Invariants:
//   - Nothing here does I/O, starts a goroutine or reads a clock.
//   - A document's bucket depends on the salt and its doc_id alone, so raising
//     the exposure never moves a document back: the set served by Temporal at
//     p1 is a subset of the set at p2 for every p1 <= p2; at 0 it is empty, at
//     100 it is everything.
//   - A Policy is immutable. What is in force changes by replacing it.
package rollout
