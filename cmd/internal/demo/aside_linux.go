package demo

import (
	"os/exec"
	"syscall"
)

// setAside keeps the terminal's Ctrl-C from the program, which is stopped in its
// turn, and has the kernel end it if this process is killed.
func setAside(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
