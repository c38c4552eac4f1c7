package embedded

import (
	"fmt"
	"runtime/debug"
)

// faults makes the caller survive a page of a mapped file that cannot be read or
// written, because the disk failed or somebody cut the file short: instead of the
// process's death it is an error. For use as
//
//	defer faults(&err)()
func faults(err *error) func() {
	before := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(before)
		switch fault := recover().(type) {
		case nil:
		case interface {
			error
			Addr() uintptr
		}:
			*err = fmt.Errorf("a page of the claims cannot be read or written: %w", fault)
		default:
			panic(fault)
		}
	}
}
