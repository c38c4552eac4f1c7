package rollout

// Policy is everything in force at one time. It is immutable: never write to
// one that has been published.
type Policy struct {
	// Epoch is the policy's version; it grows by one with each change.
	Epoch uint64
	// Flag is the ceiling that operators allow.
	Flag Exposure
	// Plan is the ceiling that the evidence has earned; All without a plan.
	Plan Exposure
	// Brake is the ceiling that safety permits; All while it is released.
	Brake Exposure
	// Shadow is the share of legacy's documents that are also mirrored.
	Shadow Exposure
	// Kill sends all documents to legacy and mirrors none.
	Kill bool
}

// Exposure returns what is in force: the lowest ceiling, or None when killed.
func (p *Policy) Exposure() Exposure {
	if p.Kill {
		return None
	}
	return min(p.Flag, p.Plan, p.Brake)
}

// Question is what a decision is made from, besides the policy.
type Question struct {
	Bucket Bucket
	// Oversize: the document is over Temporal's payload limit.
	Oversize bool
}

// Decision is one document's route and why.
type Decision struct {
	Path   Path
	Reason Reason
	Bucket Bucket
	// Epoch is that of the policy the decision was made under.
	Epoch uint64
}

// Decide routes one document. Order of precedence: kill, brake, then the split
// at the lowest ceiling; a document that Temporal cannot hold goes to legacy.
func (p *Policy) Decide(q Question) Decision {
	d := Decision{Path: Legacy, Reason: ReasonSplit, Bucket: q.Bucket, Epoch: p.Epoch}
	switch ceiling := min(p.Flag, p.Plan); {
	case p.Kill:
		d.Reason = ReasonKill
	case !ceiling.Includes(q.Bucket):
	case !p.Brake.Includes(q.Bucket):
		d.Reason = ReasonBrake
	case q.Oversize:
		d.Reason = ReasonSize
	default:
		d.Path = Temporal
	}
	return d
}

// Lower returns the policy that allows what both allow. Its epoch is other's.
func (p *Policy) Lower(other *Policy) *Policy {
	return &Policy{
		Epoch: other.Epoch,
		Flag:  min(p.Flag, other.Flag), Plan: min(p.Plan, other.Plan), Brake: min(p.Brake, other.Brake),
		Shadow: min(p.Shadow, other.Shadow), Kill: p.Kill || other.Kill,
	}
}
