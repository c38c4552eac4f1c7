// Package invisible holds the test of one rule: with nothing on Temporal a client
// cannot tell the gateway from the legacy service itself. There is no code in it but
// the tests'.
//
// Each row is played twice: once by a client that is connected to a legacy service,
// once by one that is connected to a gateway in front of another legacy service of
// the same kind. Clients and legacy are raw sockets, so that nothing is normalised,
// and the gateway is the real one with its own listeners. What the two clients got
// and what the two services heard must be the same; what HTTP or a gateway's place
// makes different is in one list, with the reason (differences_test.go).
package invisible
