//go:build !linux

package child

import (
	"os/exec"
	"syscall"
)

// dieWithParent only sets the child apart: what it gets on Ctrl-C is the
// harness's to say.
func dieWithParent(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
