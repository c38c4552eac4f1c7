package main

import (
	"net/netip"
	"os"
	"syscall"
)

// holdPort binds a socket to addr and never listens on it. Linux then gives
// the port to nobody who asks for any port, neither to a listener nor to an
// outgoing connection, yet lets a second socket bind and listen, because both
// set SO_REUSEADDR and only one listens.
func holdPort(addr netip.AddrPort) (netip.AddrPort, func(), error) {
	var want syscall.Sockaddr = &syscall.SockaddrInet4{Port: int(addr.Port())}
	family := syscall.AF_INET
	if addr.Addr().Is4() {
		want.(*syscall.SockaddrInet4).Addr = addr.Addr().As4()
	} else {
		family = syscall.AF_INET6
		want = &syscall.SockaddrInet6{Port: int(addr.Port()), Addr: addr.Addr().As16()}
	}
	fd, err := syscall.Socket(family, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return netip.AddrPort{}, nil, os.NewSyscallError("socket", err)
	}
	got, err := bindReusable(fd, want)
	if err != nil {
		_ = syscall.Close(fd)
		return netip.AddrPort{}, nil, os.NewSyscallError("bind", err)
	}
	return netip.AddrPortFrom(addr.Addr(), got), func() { _ = syscall.Close(fd) }, nil
}

// bindReusable binds fd and returns the port that it got.
func bindReusable(fd int, want syscall.Sockaddr) (uint16, error) {
	if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		return 0, err
	}
	if err := syscall.Bind(fd, want); err != nil {
		return 0, err
	}
	got, err := syscall.Getsockname(fd)
	if err != nil {
		return 0, err
	}
	if v6, ok := got.(*syscall.SockaddrInet6); ok {
		return uint16(v6.Port), nil
	}
	return uint16(got.(*syscall.SockaddrInet4).Port), nil
}
