package temporalpath

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// resourceHeader names the workflow of a call, for proxies in front of Temporal.
const resourceHeader = "temporal-resource-id"

// printable takes the header away where it holds what gRPC refuses to send: a
// workflow ID holds the document's, which may be any text.
func printable(ctx context.Context, method string, request, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	out, _ := metadata.FromOutgoingContext(ctx)
	for _, value := range out.Get(resourceHeader) {
		if !isPrintable(value) {
			out = out.Copy()
			out.Delete(resourceHeader)
			ctx = metadata.NewOutgoingContext(ctx, out)
			break
		}
	}
	return invoke(ctx, method, request, reply, cc, options...)
}

func isPrintable(text string) bool {
	for i := range len(text) {
		if text[i] < 0x20 || text[i] > 0x7e {
			return false
		}
	}
	return true
}
