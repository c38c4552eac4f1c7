package demo

import (
	"context"
	"errors"
	"os"

	"go.uber.org/zap"

	"sluice/cmd/internal/gateway"
	"sluice/cmd/internal/steering"
	"sluice/cmd/internal/worker"
	"sluice/configs"
)

// check finds what the programs would refuse of the configuration, before any of them is
// started.
func (d *Demo) check() error {
	if err := steering.Check(&d.config); err != nil {
		return err
	}
	return configs.Explain(d.options.ConfigFile, errors.Join(
		gateway.Check(context.Background(), d.config, gateway.Options{Log: zap.NewNop(), Lookup: os.LookupEnv}),
		worker.Check(d.config, worker.Options{Log: zap.NewNop(), Lookup: os.LookupEnv})))
}
