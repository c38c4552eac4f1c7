package connect

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// mayWrite is what access(2) is asked for: to write in a directory, and to enter it.
const mayWrite = 2 | 1

// Directory fails if a directory cannot be written to, or cannot be made where there is
// none. It changes nothing.
func Directory(path string) error {
	for at := filepath.Clean(path); ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		switch {
		case errors.Is(err, fs.ErrNotExist) && at != filepath.Dir(at):
			continue // it would be made, in the one above
		case err != nil:
			return err
		case !info.IsDir():
			return fmt.Errorf("%s is no directory", at)
		}
		if err := syscall.Access(at, mayWrite); err != nil {
			return fmt.Errorf("%s cannot be written to: %w", at, err)
		}
		return nil
	}
}
