package router

import (
	"go.uber.org/zap"

	"sluice/rollout"
)

// logAccess writes the one wide line of a request.
func (rt *Router) logAccess(record *rollout.Record) {
	if !rt.config.AccessLog {
		return
	}
	rt.config.Log.Info("request",
		zap.String("route", record.Route),
		zap.String("doc_id", record.DocID),
		zap.String("intent", string(record.Intent)),
		zap.String("method", record.Method),
		zap.String("target", record.Target),
		zap.Stringer("path", record.Decision.Path),
		zap.Stringer("reason", record.Decision.Reason),
		zap.Uint32("bucket", uint32(record.Decision.Bucket)),
		zap.Uint64("epoch", record.Decision.Epoch),
		zap.Int("status", record.Result.Status),
		zap.Stringer("outcome", record.Result.Outcome),
		zap.Duration("duration", record.Duration),
		zap.Int64("bytes_in", record.BytesIn),
		zap.Int64("bytes_out", record.Result.BytesOut),
		zap.Error(record.Result.Err))
}
