package chaos

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// build builds the gateway's binary: the one that is released, or one that can
// do without its protection.
func (c *Config) build(ctx context.Context) (string, error) {
	binary := filepath.Join(c.Dir, "sluice")
	args := []string{"build", "-o", binary}
	env := append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0")
	if c.Without != "" {
		args = append(args, "-tags", "chaos")
	}
	if c.Race {
		args, env = append(args, "-race"), append(env, "CGO_ENABLED=1")
	}
	build := exec.CommandContext(ctx, "go", append(args, "./cmd/sluice")...)
	build.Dir, build.Env = c.Root, env
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the gateway: %w\n%s", err, out)
	}
	return binary, nil
}
