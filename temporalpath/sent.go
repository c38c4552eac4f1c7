package temporalpath

import (
	"context"
	"sync/atomic"

	"google.golang.org/grpc/stats"
)

// sent records whether any byte of a call was handed to a connection. gRPC may
// try a call more than once on its own; the mark stays once it is set.
type sent struct{ any atomic.Bool }

type sentKey struct{}

func withSent(ctx context.Context) (context.Context, *sent) {
	mark := &sent{}
	return context.WithValue(ctx, sentKey{}, mark), mark
}

// sentHandler marks the calls whose context carries a *sent.
type sentHandler struct{}

func (sentHandler) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

func (sentHandler) HandleRPC(ctx context.Context, event stats.RPCStats) {
	switch event.(type) {
	case *stats.OutHeader, *stats.OutPayload:
		if mark, ok := ctx.Value(sentKey{}).(*sent); ok {
			mark.any.Store(true)
		}
	}
}

func (sentHandler) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

func (sentHandler) HandleConn(context.Context, stats.ConnStats) {}
