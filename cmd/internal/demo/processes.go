package demo

import (
	"fmt"
	"path/filepath"
)

// label is how a program's lines begin.
func label(name string) string { return fmt.Sprintf("%-8s", name) }

// server is the Temporal server, with its web UI.
func (d *Demo) server() *process {
	return newProcess("temporal", d.options.Devstack, d.console,
		"-frontend", d.config.Temporal.Address, "-ui", d.options.UI, "-db", filepath.Join(d.options.Data, "temporal.db"),
		"-namespace", d.config.Temporal.Namespace, "-exit-on-stdin-close")
}

func (d *Demo) legacyService() *process {
	return newProcess("legacy", d.options.Sluice, d.console, "demo", "legacy", "-listen", d.legacy,
		"-stores", storesDSN(d.options.Data), "-token", d.options.LegacyToken, "-latency", legacyLatency.String())
}

func (d *Demo) worker() *process { return d.configured("worker") }

func (d *Demo) gateway() *process { return d.configured("gateway") }

// configured is one of the commands that read the configuration.
func (d *Demo) configured(name string) *process {
	args := []string{name, "-config", d.options.ConfigFile, "-console"}
	for _, setting := range d.settings {
		args = append(args, "-set", setting)
	}
	return newProcess(name, d.options.Sluice, d.console, args...)
}
