//go:build !race

package control

// less is what the samples are divided by.
const less = 1
