// Package aside starts programs in a process group of their own, out of the
// terminal's reach: a Ctrl-C is for the process that started them, which stops
// each in its turn.
//
// On Linux such a program does not outlive its starter, even one that is killed.
// The kernel ties that to the thread that forked, so whoever starts a program
// locks the goroutine to its thread until the program has ended.
package aside

import (
	"os/exec"
	"syscall"
)

// Set puts cmd, which is not started yet, into a group of its own.
func Set(cmd *exec.Cmd) { cmd.SysProcAttr = attributes() }

// Signal sends the signal to the program, and to all that it started in its group.
func Signal(cmd *exec.Cmd, sig syscall.Signal) error { return syscall.Kill(-cmd.Process.Pid, sig) }
