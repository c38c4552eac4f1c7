// Package connect holds what the gateway and the worker do alike: reach Temporal,
// listen, answer probes.
package connect

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/exp/zapslog"

	"sluice/configs"
	"sluice/temporalpath"
)

// Dialing reads how Temporal is reached from the configuration and the files
// that it names.
func Dialing(c configs.Temporal) (temporalpath.Dialing, error) {
	d := temporalpath.Dialing{Address: c.Address, Namespace: c.Namespace}
	if c.APIKeyFile != "" {
		key, err := os.ReadFile(c.APIKeyFile)
		if err != nil {
			return d, configs.At("temporal.api_key_file", err)
		}
		d.APIKey = strings.TrimSpace(string(key))
	}
	if !c.TLS.Enabled {
		return d, nil
	}
	d.TLS = &tls.Config{ServerName: c.TLS.ServerName, MinVersion: tls.VersionTLS12}
	if c.TLS.CAFile != "" {
		pem, err := os.ReadFile(c.TLS.CAFile)
		if err != nil {
			return d, configs.At("temporal.tls.ca_file", err)
		}
		d.TLS.RootCAs = x509.NewCertPool()
		if !d.TLS.RootCAs.AppendCertsFromPEM(pem) {
			return d, configs.At("temporal.tls.ca_file", fmt.Errorf("%s holds no PEM certificate", c.TLS.CAFile))
		}
	}
	if c.TLS.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(c.TLS.CertFile, c.TLS.KeyFile)
		if err != nil {
			return d, configs.At("temporal.tls.cert_file", err)
		}
		d.TLS.Certificates = []tls.Certificate{pair}
	}
	return d, nil
}

// TemporalLog is the log for a client of Temporal.
func TemporalLog(log *zap.Logger) *slog.Logger {
	return slog.New(zapslog.NewHandler(log.Named("temporal").Core(), zapslog.WithName("temporal")))
}
