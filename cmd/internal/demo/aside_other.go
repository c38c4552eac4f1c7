//go:build !linux

package demo

import (
	"os/exec"
	"syscall"
)

// setAside keeps the terminal's Ctrl-C from the program, which is stopped in its
// turn.
func setAside(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
