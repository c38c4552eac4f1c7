//go:build race

package control

// less is what the samples are divided by: there is nothing to race here, and the
// detector makes it ten times as slow.
const less = 10
