package child

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// FreePort returns an address of the loopback interface that nobody listens on.
// It is below the ports that systems give to outgoing connections, so that it is
// still free when a child that was killed comes back to it.
func FreePort() (string, error) {
	for range 1000 {
		address := fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000))
		listener, err := net.Listen("tcp", address)
		if err == nil {
			return address, listener.Close()
		}
	}
	return "", errors.New("no free port was found between 20000 and 32000")
}
