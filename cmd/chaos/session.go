package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"sluice/cmd/internal/chaos"
)

// session is one or three runs.
type session struct {
	config        chaos.Config
	compare, keep bool
	out           io.Writer
}

func (s *session) run(ctx context.Context) error {
	dir := s.config.Dir
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "sluice-chaos-"); err != nil {
			return err
		}
		if err := os.Chmod(dir, 0o755); err != nil { // PostgreSQL may run as another user
			return err
		}
		if !s.keep {
			defer os.RemoveAll(dir)
		}
	}
	failed := s.one(ctx, dir, s.config)
	if failed != nil || !s.compare {
		return failed
	}
	for _, without := range [...]string{chaos.WithoutClaims, chaos.WithoutFence} {
		weak := s.config
		weak.Without = without
		weak.Intents, weak.Kills = max(weak.Intents/10, 2000), max(weak.Kills/10, 30)
		if err := s.one(ctx, dir, weak); err != nil {
			return err
		}
	}
	return nil
}

// one runs once, prints the report, and judges it.
func (s *session) one(ctx context.Context, dir string, config chaos.Config) error {
	config.Dir = filepath.Join(dir, "protected")
	if config.Without != "" {
		config.Dir = filepath.Join(dir, "without-"+config.Without)
	}
	if err := os.MkdirAll(config.Dir, 0o755); err != nil {
		return err
	}
	result, err := chaos.Run(ctx, config)
	if err != nil {
		return err
	}
	fmt.Fprintln(s.out, result)
	switch {
	case config.Without != "" && result.Doubles() == 0:
		return fmt.Errorf("%w: without the %s nothing was doubled, so the run proves nothing", errBroken, config.Without)
	case config.Without == "" && result.Broken():
		result.Timelines(s.out, 5)
		return errBroken
	}
	return nil
}
