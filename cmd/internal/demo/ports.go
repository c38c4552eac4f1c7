package demo

import (
	"errors"
	"fmt"
	"net"
)

// port is an address to listen on, what for, and the flag that moves it.
type port struct{ address, what, move string }

// checkPorts finds all ports that are taken, or wanted twice: each is held until
// all have been tried.
func (d *Demo) checkPorts() error {
	ports := []port{
		{d.config.Listen.Public, "the gateway's public door", "-set listen.public=127.0.0.1:PORT"},
		{d.config.Listen.Operator, "the gateway's operator listener", "-set listen.operator=127.0.0.1:PORT"},
		{d.legacy, "the legacy service", "-set legacy.url=http://127.0.0.1:PORT"},
		{d.config.Worker.Listen, "the worker's metrics", "-set worker.listen=127.0.0.1:PORT"},
	}
	if d.options.Temporal == "" {
		ports = append(ports,
			port{d.config.Temporal.Address, "Temporal", "-set temporal.address=127.0.0.1:PORT"},
			port{d.options.UI, "Temporal's web UI", "-ui 127.0.0.1:PORT"})
	}
	var problems []error
	for _, port := range ports {
		listener, err := hold(port.address)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s cannot listen on %s: %w\n  hint: stop what listens there, or move it: make run FLAGS=%q",
				port.what, port.address, err, port.move))
			continue
		}
		defer listener.Close()
	}
	return errors.Join(problems...)
}

// hold listens on the address. Port 0 is an error: a port that the program below
// chooses is unknown to the others.
func hold(address string) (net.Listener, error) {
	if _, port, err := net.SplitHostPort(address); err == nil && port == "0" {
		return nil, errors.New("it must be known to the others, so port 0 will not do")
	}
	return net.Listen("tcp", address)
}
