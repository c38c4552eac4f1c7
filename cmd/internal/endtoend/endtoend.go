// Package endtoend holds the tests that need everything at once: a gateway, the
// demonstration legacy service, the worker and a real Temporal server. There is
// no code in it but theirs.
package endtoend
