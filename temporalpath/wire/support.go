package wire

// WorkerSupport is the type of the workflow by which the workers of a task queue declare
// what they can: the gateway starts it, without an argument, when it starts, when other
// workers poll or other versions take new runs, and now and then. Its result is a
// [Support]. It answers at once, without activities.
//
// Where workers have versions, each version that takes new runs is asked by itself, and
// the task queue can what all of them can. Workers that do not know the question are
// served as if they had declared no claim check, and all else.
const WorkerSupport = "sluice.worker-support"

// Support is what the workers of a task queue declare.
type Support struct {
	// Types are the workflow types that they serve.
	Types []string `json:"types"`
	// Updates are those of Types that offer the update [ResultUpdate]. Left out, or
	// null, it says nothing; an empty list says that none does.
	Updates []string `json:"updates,omitzero"`
	// ClaimCheck names the storage drivers whose references they read, as the SDK's
	// external storage names them. A payload is stored apart only for workers that name
	// the driver; others would never get on with it.
	ClaimCheck []string `json:"claim_check,omitempty"`
	// BuildID is the worker's; may be empty.
	BuildID string `json:"build_id,omitempty"`
	// Batches: they serve [ShadowBatch] too. It counts on a shadow task queue alone.
	Batches bool `json:"batches,omitempty"`
}
