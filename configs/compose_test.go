package configs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// compose is what the tests look at of compose.yaml.
type compose struct {
	Services map[string]service
	Configs  map[string]struct{ Content string }
	Volumes  map[string]any
}

type service struct {
	Image       string
	Build       struct{ Context string }
	User        string
	Command     []string
	Environment map[string]string
	Ports       []string
	Volumes     []string
	Configs     []struct{ Source, Target string }
	DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
	Healthcheck struct{ Test []string }
	ReadOnly    bool `yaml:"read_only"`
}

func readYAML(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(file))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

func readCompose(t *testing.T) compose {
	t.Helper()
	var c compose
	readYAML(t, "compose.yaml", &c)
	for _, name := range []string{"gateway", "legacy", "temporal", "worker", "postgres", "prometheus", "grafana"} {
		if _, found := c.Services[name]; !found {
			t.Fatalf("compose.yaml has no service %s", name)
		}
	}
	return c
}

func TestComposeNamesExist(t *testing.T) {
	t.Parallel()
	c := readCompose(t)
	for name, s := range c.Services {
		for _, volume := range s.Volumes {
			source, _, _ := strings.Cut(volume, ":")
			if !strings.HasPrefix(source, ".") {
				if _, found := c.Volumes[source]; !found {
					t.Errorf("%s mounts the volume %s, which is not declared", name, source)
				}
			} else if _, err := os.Stat(filepath.FromSlash(source)); err != nil {
				t.Errorf("%s mounts what is not there: %v", name, err)
			} else if !strings.HasSuffix(volume, ":ro") {
				t.Errorf("%s could write to %s", name, source)
			}
		}
		for _, config := range s.Configs {
			if c.Configs[config.Source].Content == "" {
				t.Errorf("%s uses the config %s, which is not declared", name, config.Source)
			}
		}
		for needed, how := range s.DependsOn {
			if other, found := c.Services[needed]; !found {
				t.Errorf("%s depends on %s, which is not there", name, needed)
			} else if how.Condition == "service_healthy" && len(other.Healthcheck.Test) == 0 {
				t.Errorf("%s waits for %s to be healthy, which has no check", name, needed)
			}
		}
	}
}

func TestComposeImagesArePinned(t *testing.T) {
	t.Parallel()
	for name, s := range readCompose(t).Services {
		_, tag, _ := strings.Cut(s.Image, ":")
		if s.Build.Context == "" && !regexp.MustCompile(`^v?\d+\.\d+`).MatchString(tag) {
			t.Errorf("%s: image %q is not pinned to a version", name, s.Image)
		}
		if s.Build.Context != "" && !s.ReadOnly {
			t.Errorf("%s has a root file system that can be written to", name)
		}
	}
}

func TestComposePublishesOnLoopbackOnly(t *testing.T) {
	t.Parallel()
	taken := map[string]string{}
	for name, s := range readCompose(t).Services {
		for _, port := range s.Ports {
			host, _, _ := strings.Cut(strings.TrimPrefix(port, "127.0.0.1:"), ":")
			if !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("%s publishes %s to the network", name, port)
			}
			if taken[host] != "" {
				t.Errorf("%s and %s both publish %s", name, taken[host], host)
			}
			taken[host] = name
		}
	}
}
