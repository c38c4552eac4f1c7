// Package build tells what build this is.
package build

// version is set by the linker: -X sluice/cmd/internal/build.version=...
var version = "dev"

// Version returns the build's version: the tag or commit it was made from, or
// "dev". It is also the worker's build ID where the configuration names none.
func Version() string { return version }
