package temporalpath

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"
	"google.golang.org/grpc"
)

// A frozen server is noticed after interval + timeout. Temporal refuses pings
// that come more often than every ten seconds.
const (
	keepAliveInterval = 10 * time.Second
	keepAliveTimeout  = 4 * time.Second
)

// Dialing says where Temporal is and how it is reached.
type Dialing struct {
	// Address is the frontend's host:port.
	Address   string
	Namespace string
	// TLS is nil for a plain connection.
	TLS *tls.Config
	// APIKey is sent with each call if it is not empty.
	APIKey string
	// Metrics receives the SDK's own metrics; may be nil.
	Metrics client.MetricsHandler
	// Logger receives the SDK's log; nil discards it.
	Logger *slog.Logger
	// ExternalStorage is the claim check, for workers; see package claimcheck.
	ExternalStorage converter.ExternalStorage
}

// Dial returns a client that connects when it is first used, so that Temporal
// may be away when the gateway starts.
func Dial(d Dialing) (client.Client, error) {
	logger := d.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	options := client.Options{
		HostPort:        d.Address,
		Namespace:       d.Namespace,
		MetricsHandler:  d.Metrics,
		Logger:          log.NewStructuredLogger(logger),
		ExternalStorage: d.ExternalStorage,
		ConnectionOptions: client.ConnectionOptions{
			TLS:              d.TLS,
			KeepAliveTime:    keepAliveInterval,
			KeepAliveTimeout: keepAliveTimeout,
			GrpcCompression:  &client.GrpcCompressionNone{}, // gzip costs 144 ms a MiB
			DialOptions:      []grpc.DialOption{grpc.WithStatsHandler(sentHandler{}), grpc.WithChainUnaryInterceptor(printable)},
		},
	}
	if d.APIKey != "" {
		options.Credentials = client.NewAPIKeyStaticCredentials(d.APIKey)
	}
	c, err := client.NewLazyClient(options)
	if err != nil {
		return nil, fmt.Errorf("temporal client for %s: %w", d.Address, err)
	}
	return c, nil
}
