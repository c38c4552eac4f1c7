package router

import (
	"bufio"
	"net"
	"net/http"
)

// saying notes whether an answer was begun. net/http ends a handler that has written
// nothing with an empty 200, which would be a success that no path gave: a client
// may hear of it, even one that the server took for gone. So who has nothing to say
// says nothing, and the connection is cut.
type saying struct {
	http.ResponseWriter
	begun bool
}

// Unwrap is for http.ResponseController.
func (s *saying) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// WriteHeader passes interim answers on, which may come from other goroutines.
func (s *saying) WriteHeader(status int) {
	if status >= http.StatusOK || status == http.StatusSwitchingProtocols {
		s.begun = true
	}
	s.ResponseWriter.WriteHeader(status)
}

func (s *saying) Write(p []byte) (int, error) {
	s.begun = true
	return s.ResponseWriter.Write(p)
}

// Hijack gives the connection away, with whatever is said on it.
func (s *saying) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	s.begun = true
	return http.NewResponseController(s.ResponseWriter).Hijack()
}

// said cuts the connection of a client that got no answer.
func (s *saying) said() {
	if !s.begun {
		panic(http.ErrAbortHandler)
	}
}
