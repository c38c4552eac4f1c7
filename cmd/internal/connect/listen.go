package connect

import (
	"errors"
	"fmt"
	"net"
)

// Listen binds the address; setting is how the user gives another one.
func Listen(address, setting string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w\nhint: stop what listens there, or give another address: %s", address, err, setting)
	}
	return listener, nil
}

// Closed closes a listener that its server may have closed already.
func Closed(listener net.Listener) error {
	if err := listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
