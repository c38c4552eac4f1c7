package rollout

import "time"

// Session is what whoever decides for all gateways finds on record, as of one
// transaction of the store.
type Session struct {
	// Now is the store's clock.
	Now time.Time
	// State is what the last ruling left; nil at first.
	State []byte
	// Counts is what was counted since the last decision took its counts.
	Counts []Count
	// Policy is the one in force, Brake the one that is wanted.
	Policy Policy
	Brake  Brake
}

// Ruling is what was decided. All of it is on record at once, or nothing.
type Ruling struct {
	// State replaces the session's.
	State []byte
	// Plan is the ceiling from now on. A lower one is in force with the ruling, a
	// higher one comes into force by the leader's offers.
	Plan Exposure
	// Brake, if there is one, is lowered to, as by an operator.
	Brake *Brake
	// Pages are added to what is kept.
	Pages []Page
}

// Page is one thing that is kept for people: a decision, a certificate, a report.
type Page struct {
	Subject string
	Body    []byte
}
