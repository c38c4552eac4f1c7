package faultproxy

// Fault is what can happen to one request on its way.
type Fault uint8

// The closed set of faults.
const (
	// None: it passes.
	None Fault = iota
	// BeforeSend: the sender has written it, nothing arrives.
	BeforeSend
	// AfterSend: it arrives whole, then both sides are cut.
	AfterSend
	// AfterCommit: it arrives and is served; the answer is swallowed, and the
	// sender hears nothing more.
	AfterCommit
	// BeforeReply: it arrives and is served; the sender is cut off when the answer
	// comes.
	BeforeReply
	// Reset: it is sent and both sides are reset at once; whether it arrives is
	// a matter of luck.
	Reset
	// Stall: it, or its answer, is held up, and delivered late even if the sender
	// has left.
	Stall
	// Truncate: a part of it, or of its answer, arrives, then both sides are cut.
	Truncate
)

var faults = [...]string{"none", "before-send", "after-send", "after-commit", "before-reply", "reset", "stall", "truncate"}

// String returns the word used in the report.
func (f Fault) String() string { return faults[f] }

// Faults lists all but None.
func Faults() []Fault {
	var all []Fault
	for f := BeforeSend; int(f) < len(faults); f++ {
		all = append(all, f)
	}
	return all
}
