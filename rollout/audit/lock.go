package audit

import (
	"errors"
	"os"
	"syscall"
)

// lock waits until no other process has the file's lock. The system takes it back
// when the process ends, however it ends.
func lock(file *os.File) error { return flock(file, syscall.LOCK_EX) }

func unlock(file *os.File) error { return flock(file, syscall.LOCK_UN) }

func flock(file *os.File, how int) error {
	for {
		err := syscall.Flock(int(file.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
