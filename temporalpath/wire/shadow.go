package wire

// ShadowSupport is the type of the workflow by which the workers of a shadow task
// queue declare what they do there, as [WorkerSupport] on a real one: the gateway starts
// it, without an argument, before it mirrors anything and again while it mirrors, and
// starts shadow runs only of the types that its result, a [Support], names. So a worker
// that knows nothing of shadow runs never gets one.
//
// A worker that answers promises, for each type that it names, that a run whose
// input is marked Shadow leaves nothing where real runs write or act, and that a
// run that is not marked is refused on this task queue. It answers at once, without
// activities.
const ShadowSupport = "sluice.shadow-support"
