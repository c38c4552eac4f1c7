package embedded

import (
	"errors"
	"os"
	"syscall"
)

// reserve makes the file as long as size, and takes the room on the disk now.
func reserve(file *os.File, size int64) error {
	for {
		switch err := syscall.Fallocate(int(file.Fd()), 0, 0, size); {
		case err == nil:
			return nil
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EOPNOTSUPP), errors.Is(err, syscall.ENOSYS):
			return fill(file, size)
		default:
			return os.NewSyscallError("fallocate", err)
		}
	}
}
