package chaos

import "syscall"

// memory returns the most that this process ever had, in bytes.
func memory() int64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return used.Maxrss << 10
}
