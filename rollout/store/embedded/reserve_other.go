//go:build !linux

package embedded

import "os"

// reserve makes the file as long as size, and takes the room on the disk now.
func reserve(file *os.File, size int64) error { return fill(file, size) }
