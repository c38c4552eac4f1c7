// Package handover lets a gateway take the place of the one that runs on the same
// data directory, without a client noticing more than a wait.
//
// The running gateway, the predecessor, offers itself on a unix socket in the
// directory. The new one, the successor, connects, and they speak in lines of
// JSON, with file descriptors beside them:
//
//	predecessor --> offer       its listeners
//	                            (the successor gets everything ready but the lock)
//	successor   --> stop        or the predecessor says refused: the other is too old
//	predecessor --> stopped     it accepts no more; what comes waits in the kernel
//	predecessor --> connection  a client's connection with nothing under way on it
//	    ...
//	(the predecessor answers what is under way, settles it, unlocks the directory
//	and ends; the successor serves)
//
// Invariants:
//   - Until it reads stop the predecessor serves as if there were no successor:
//     one that fails or dies before that has changed nothing.
//   - A listening socket that both hold stays one socket. No connection is refused
//     or reset by the change; those that nobody has accepted yet wait in its queue.
//   - A connection moves only while no byte of it has been read that is not
//     answered: between two requests, or before the first. So nothing is lost with
//     it, and none is closed under a client that is about to use it.
//   - Only processes of the same user are spoken to.
package handover

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"time"
)

// Socket returns where the gateway of a data directory offers itself.
func Socket(data string) string { return filepath.Join(data, "handover.sock") }

// What is said.
const (
	sayOffer      = "offer"
	sayStop       = "stop"
	sayStopped    = "stopped"
	sayRefused    = "refused"
	sayConnection = "connection"
)

// message is one line.
type message struct {
	Say string `json:"say"`
	// Process is the sender's.
	Process int `json:"process,omitempty"`
	// Listeners are the offered listeners' addresses, in the order of their files.
	Listeners []string `json:"listeners,omitempty"`
	// Patience is how long the predecessor may take to end after stop.
	Patience time.Duration `json:"patience_ns,omitempty"`
	// Layout is the newest layout of the data directory that the successor knows.
	Layout int `json:"layout,omitempty"`
	// Why is why the predecessor refuses.
	Why string `json:"why,omitempty"`
	// Files is how many file descriptors come with the line.
	Files int `json:"files,omitempty"`
}

// sayLimit bounds how long the other process may take to read a line, or to
// answer one that it answers at once.
const sayLimit = 5 * time.Second

// errStranger says that the other process belongs to somebody else.
var errStranger = errors.New("the process at the other end runs as another user")

// same reports whether a listener at address listens where the setting says. Port
// 0 asks for any port.
func same(address, setting string) bool {
	at, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return false
	}
	want, err := net.ResolveTCPAddr("tcp", setting)
	if err != nil || want.Port != 0 && want.Port != at.Port {
		return false
	}
	anywhere := func(ip net.IP) bool { return len(ip) == 0 || ip.IsUnspecified() }
	return anywhere(at.IP) && anywhere(want.IP) || at.IP.Equal(want.IP) && at.Zone == want.Zone
}

func unexpected(m message) error { return fmt.Errorf("the other gateway says %q out of turn", m.Say) }
