// Package chaos runs the gateway against everything that can go wrong around it,
// and compares what clients were told with what happened.
//
//	clients ──proxy──▶ gateways ──proxy──▶ legacy service (in the harness)
//	                   │  (real processes,  real binary)
//	                   ├───────proxy──▶ Temporal (a real server) ◀── worker (in the harness)
//	                   └───────proxy──▶ PostgreSQL (a real server), or a directory
//
// Gateways, Temporal and PostgreSQL are killed, frozen, stopped and started
// again; the proxies lose, cut, delay and truncate; an operator moves the
// percentage, flips the kill switch and breaks the flag file. Then the faults
// end, everything settles, and package ledger is asked what was broken.
//
// The seed gives the wishes, the schedule of what is killed when, the operator's
// moves and the luck of every proxy. What it does not give is the timing: two
// runs of one seed are alike, and not the same.
package chaos

import (
	"errors"
	"io"
	"time"
)

// Config says how much chaos there is.
type Config struct {
	Seed uint64
	// Intents is how many wishes clients have, Kills how often a process is killed
	// by SIGKILL (SIGQUIT for PostgreSQL) meanwhile.
	Intents, Kills int
	// Gateways is how many there are; an embedded store allows one.
	Gateways int
	// Store is StoreEmbedded or StorePostgres.
	Store string
	// Without is empty, or names the protection that is off: WithoutClaims or
	// WithoutFence.
	Without string
	// Most is the highest percentage that the operator sets, above 0 and up to 100.
	// Below 100 a run takes less time, for Temporal is the slower path here.
	Most float64
	// Limit bounds the time that clients go on beginning wishes.
	Limit time.Duration
	// Parallel is how many wishes are under way at one time.
	Parallel int
	// Race builds the gateway with the race detector.
	Race bool
	// Dir is where everything is written; it must be there.
	Dir string
	// Root is the module's directory, Devstack the Temporal server's binary.
	Root, Devstack string
	// Output gets progress.
	Output io.Writer
}

// The stores.
const (
	StoreEmbedded = "embedded"
	StorePostgres = "postgres"
)

// The protections that can be off.
const (
	WithoutClaims = "claims"
	WithoutFence  = "fence"
)

func (c *Config) check() error {
	switch {
	case c.Store != StoreEmbedded && c.Store != StorePostgres:
		return errors.New("the store is embedded or postgres")
	case c.Store == StoreEmbedded && c.Gateways != 1:
		return errors.New("an embedded store has one gateway: -gateways 1")
	case c.Gateways < 1, c.Intents < 1, c.Parallel < 1, c.Kills < 0:
		return errors.New("there must be at least one gateway, one intent and one client")
	case !(c.Most > 0 && c.Most <= 100):
		return errors.New("the operator's highest percentage is above 0 and at most 100")
	case c.Without != "" && c.Without != WithoutClaims && c.Without != WithoutFence:
		return errors.New("only claims or fence can be off")
	}
	return nil
}

// The times that gateways are configured with, and what follows from them.
const (
	lease         = 3 * time.Second
	answerTimeout = 4 * time.Second
	startTimeout  = time.Second
	clientWait    = 2 * time.Second
	horizon       = 2 * time.Hour // longer than any run
	// maxStall is shorter than legacy's time limit, so that nothing arrives there
	// that the gateway has given up.
	maxStall = 3 * time.Second
	// patience is how long a client repeats before the faults end.
	patience = 45 * time.Second
)
