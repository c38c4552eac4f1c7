//go:build !race

package simulate

// less is what the samples are divided by.
const less = 1
