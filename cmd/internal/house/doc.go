// Package house has no code of its own. Its tests enforce the house rules that a
// compiler does not: who imports whom, how long things are, what they are called
// and what lies at the top level.
//
// The tests parse the source files themselves. Asking `go list` would be shorter
// and wrong: go test caches a result by the files that the test reads, and does
// not see those that a subprocess reads.
//
// Each rule is a function from the tree to complaints, so that each has a test
// that shows it a bad tree and sees it complain.
package house
