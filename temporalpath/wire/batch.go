package wire

import "time"

// ShadowBatch is the type of the workflow by which a gateway has many shadow runs
// started, and waited for, in one call. It gets a [Batch], on the shadow task queue, and
// returns [Ends], one for each of its runs, in order. It only does what the gateway
// would do itself, with the requests that it is given as they are; a worker that does
// not say [Support].Batches never gets one.
const ShadowBatch = "sluice.shadow-batch"

// Batch is the only argument of a batch.
type Batch struct {
	// Runs are started in order, evenly over the time of Over, and at most Parallel are
	// waited for at one time.
	Runs     []Twin        `json:"runs"`
	Over     time.Duration `json:"over_ns"`
	Parallel int           `json:"parallel"`
	// Begin is how long after a worker was first asked a run may still be started.
	Begin time.Duration `json:"begin_ns"`
	// Linger is how long a run is waited for.
	Linger time.Duration `json:"linger_ns"`
	// StartTimeout is how long Temporal may take to acknowledge a start.
	StartTimeout time.Duration `json:"start_timeout_ns"`
}

// Twin is a document's shadow run, and a second one that begins when it has ended; each
// is a temporal.api.workflowservice.v1.StartWorkflowExecutionRequest.
type Twin struct {
	First  []byte `json:"first"`
	Second []byte `json:"second,omitempty"`
}

// Ends is the result of a batch.
type Ends struct {
	Ends []End `json:"ends"`
}

// End is what came of a twin.
type End struct {
	First  Leg  `json:"first"`
	Second *Leg `json:"second,omitempty"`
}

// Leg is what came of one run.
type Leg struct {
	// RunID is Temporal's, of a run that was started.
	RunID string `json:"run_id,omitempty"`
	// Closed is the temporal.api.history.v1.HistoryEvent that closed the run; empty of
	// one that has not ended, or whose result is large: ask for it.
	Closed []byte `json:"closed,omitempty"`
	// Took is how long the run was waited for, from before its start; 0 if that is not
	// known, as after a crash of the worker.
	Took time.Duration `json:"took_ns,omitempty"`
	// Duplicate: there was such a run before the batch.
	Duplicate bool `json:"duplicate,omitempty"`
	// None is why there is certainly no run, for people.
	None string `json:"none,omitempty"`
	// Unknown is why nobody knows whether there is a run, for people.
	Unknown string `json:"unknown,omitempty"`
}
