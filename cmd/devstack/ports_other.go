//go:build !linux

package main

import (
	"net"
	"net/netip"
)

// holdPort finds out that addr is free, or picks a free port, and lets go of
// it. The gap until the server binds stays open here, but these systems hand
// out free ports in turn, so a port comes round again only after thousands.
func holdPort(addr netip.AddrPort) (netip.AddrPort, func(), error) {
	listener, err := net.Listen("tcp", addr.String())
	if err != nil {
		return netip.AddrPort{}, nil, err
	}
	port := listener.Addr().(*net.TCPAddr).AddrPort().Port()
	if err := listener.Close(); err != nil {
		return netip.AddrPort{}, nil, err
	}
	return netip.AddrPortFrom(addr.Addr(), port), func() {}, nil
}
