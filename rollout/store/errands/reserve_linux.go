package errands

import (
	"errors"
	"os"
	"syscall"
)

// keepSize makes fallocate leave the file as long as it is.
const keepSize = 1

// reserve takes room on the disk for what the file will hold, up to size.
func reserve(file *os.File, size int64) error {
	for {
		if err := syscall.Fallocate(int(file.Fd()), keepSize, 0, size); !errors.Is(err, syscall.EINTR) {
			return os.NewSyscallError("fallocate", err)
		}
	}
}
