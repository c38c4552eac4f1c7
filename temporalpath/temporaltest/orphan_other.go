//go:build !linux

package temporaltest

import "os/exec"

// dieWithParent is the closing of stdin alone here.
func dieWithParent(*exec.Cmd) {}
