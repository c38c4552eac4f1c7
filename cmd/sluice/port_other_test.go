//go:build !linux

package main

import (
	"net"
	"os/exec"
	"testing"
)

// freeAddress returns a loopback address that was free a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// dieWithParent can do nothing here.
func dieWithParent(*exec.Cmd) {}
