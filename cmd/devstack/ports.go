package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
)

// reservation is a TCP port that is ours before the server listens on it.
//
// The server takes port numbers, not listeners. A port that was picked by
// listening and closed again may be handed to anyone before the server binds
// it; holdPort closes that gap where the system allows it.
type reservation struct {
	addr    netip.AddrPort
	release func() // held for the life of the process; called on a failed start only
}

// reserve claims the address given with the named flag, or a free port if its
// port is 0. A taken port is an error that names both.
func reserve(flagName, address string) (*reservation, error) {
	resolved, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s %q is not an address of this machine: give host:port: %w", flagName, address, err)
	}
	want := resolved.AddrPort()
	if !want.Addr().IsValid() { // ":7233" means every interface, as in net.Listen
		want = netip.AddrPortFrom(netip.IPv4Unspecified(), want.Port())
	}
	want = netip.AddrPortFrom(want.Addr().Unmap(), want.Port())
	got, release, err := holdPort(want)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("address %s is already in use: stop what listens there, or give another one with %s (port 0 picks a free one)", address, flagName)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s, give another address with %s: %w", address, flagName, err)
	}
	return &reservation{addr: got, release: release}, nil
}

// reserveInternal claims a free loopback port for a service that only the
// process itself talks to.
func reserveInternal() (*reservation, error) {
	addr, release, err := holdPort(netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 0))
	if err != nil {
		return nil, fmt.Errorf("finding a free port on loopback: %w", err)
	}
	return &reservation{addr: addr, release: release}, nil
}

// dialAddress is where a client on this machine reaches the port.
func (r *reservation) dialAddress() string {
	ip := r.addr.Addr()
	switch ip {
	case netip.IPv4Unspecified():
		ip = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	case netip.IPv6Unspecified():
		ip = netip.IPv6Loopback()
	}
	return netip.AddrPortFrom(ip, r.addr.Port()).String()
}
