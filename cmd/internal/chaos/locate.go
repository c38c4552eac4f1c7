package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Locate returns the module's directory, from the working directory upwards, and
// the Temporal server that is built in it or that SLUICE_DEVSTACK names.
func Locate() (root, devstack string, err error) {
	start, err := os.Getwd()
	if err != nil {
		return "", "", err
	}
	for root = start; ; root = filepath.Dir(root) {
		text, err := os.ReadFile(filepath.Join(root, "go.mod"))
		if err == nil && strings.HasPrefix(string(text), "module sluice\n") {
			break
		}
		if root == filepath.Dir(root) {
			return "", "", fmt.Errorf("no go.mod of module sluice above %s", start)
		}
	}
	if devstack = os.Getenv("SLUICE_DEVSTACK"); devstack == "" {
		devstack = filepath.Join(root, "bin", "devstack")
	}
	if _, err := os.Stat(devstack); err != nil {
		return "", "", fmt.Errorf("there is no Temporal server: %w: run `make bin/devstack`, or name one by SLUICE_DEVSTACK", err)
	}
	return root, devstack, nil
}
