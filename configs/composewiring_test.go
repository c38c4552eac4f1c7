package configs_test

import (
	"net"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"sluice/configs"
)

// settingsOf returns the command's file, as it is here, and its settings.
func (s service) settingsOf(t *testing.T) (file string, settings []string) {
	t.Helper()
	for _, argument := range s.Command {
		if setting, found := strings.CutPrefix(argument, "-set="); found {
			settings = append(settings, setting)
		} else if mounted, found := strings.CutPrefix(argument, "-config="); found {
			file = s.here(t, mounted)
		}
	}
	return file, settings
}

// here returns the file that the container sees under the path.
func (s service) here(t *testing.T, inside string) string {
	t.Helper()
	for _, volume := range s.Volumes {
		parts := strings.Split(volume, ":")
		if rest, found := strings.CutPrefix(inside, parts[1]+"/"); found && strings.HasPrefix(parts[0], ".") {
			return path.Join(parts[0], rest)
		}
	}
	t.Fatalf("nothing is mounted at %s", inside)
	return ""
}

// The commands' settings must be accepted by the configuration, and what they
// point to must be there.
func TestComposeSettings(t *testing.T) {
	t.Parallel()
	c := readCompose(t)
	for _, name := range []string{"gateway", "worker"} {
		file, settings := c.Services[name].settingsOf(t)
		config, err := configs.Load(file, settings...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if host, port := split(t, config.Temporal.Address); host != "temporal" || !c.Services["temporal"].publishes(port) {
			t.Errorf("%s: temporal.address is %s", name, config.Temporal.Address)
		}
		if name == "gateway" {
			c.checkGateway(t, config)
		} else {
			c.checkWorker(t, config)
		}
	}
}

func (c compose) checkGateway(t *testing.T, config configs.Config) {
	t.Helper()
	gateway := c.Services["gateway"]
	for key, address := range map[string]string{"listen.public": config.Listen.Public, "listen.operator": config.Listen.Operator} {
		if host, port := split(t, address); host != "0.0.0.0" || !gateway.publishes(port) {
			t.Errorf("%s is %s and cannot be reached from outside", key, address)
		}
	}
	legacy, err := url.Parse(config.Legacy.URL)
	if err != nil {
		t.Fatal(err)
	}
	listens := "-listen=0.0.0.0:" + legacy.Port()
	if legacy.Hostname() != "legacy" || !strings.Contains(strings.Join(c.Services["legacy"].Command, " "), listens) {
		t.Errorf("legacy.url is %s, and legacy runs %v", config.Legacy.URL, c.Services["legacy"].Command)
	}
	if _, err := os.Stat(filepath.FromSlash(gateway.here(t, config.Rollout.Flags.File))); err != nil {
		t.Errorf("rollout.flags.file: %v", err)
	}
}

func (c compose) checkWorker(t *testing.T, config configs.Config) {
	t.Helper()
	postgres := c.Services["postgres"].Environment
	stores, shadow := config.Worker.Stores, config.Worker.ShadowStores
	used := map[string]bool{}
	for _, dsn := range []string{
		stores.Document, stores.Vector, stores.Graph, stores.Cache, shadow.Document, shadow.Vector, shadow.Graph, shadow.Cache,
	} {
		at, err := url.Parse(dsn)
		if err != nil {
			t.Fatal(err)
		}
		password, _ := at.User.Password()
		if at.Hostname() != "postgres" || at.Path != "/"+postgres["POSTGRES_DB"] ||
			at.User.Username() != postgres["POSTGRES_USER"] || password != postgres["POSTGRES_PASSWORD"] {
			t.Errorf("a store is at %s, which is not the PostgreSQL of this file", dsn)
		}
		used[dsn] = true
	}
	if len(used) != 2 {
		t.Errorf("the shadow stores are not apart from the real ones: %v", used)
	}
}

// publishes reports whether the container's port is published.
func (s service) publishes(port string) bool {
	for _, published := range s.Ports {
		if strings.HasSuffix(published, ":"+port) {
			return true
		}
	}
	return false
}

func split(t *testing.T, address string) (host, port string) {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return host, port
}

// Prometheus and Grafana look where the others listen.
func TestComposeObservers(t *testing.T) {
	t.Parallel()
	c := readCompose(t)
	want := map[string]string{}
	for name, listen := range map[string]func(configs.Config) string{
		"gateway": func(c configs.Config) string { return c.Listen.Operator },
		"worker":  func(c configs.Config) string { return c.Worker.Listen },
	} {
		file, settings := c.Services[name].settingsOf(t)
		config, err := configs.Load(file, settings...)
		if err != nil {
			t.Fatal(err)
		}
		_, port := split(t, listen(config))
		want["sluice-"+name] = net.JoinHostPort(name, port)
	}
	compareTargets(t, "prometheus/prometheus.yml", want)

	local := configs.Default()
	compareTargets(t, "prometheus/prometheus.local.yml", map[string]string{
		"sluice-gateway": local.Listen.Operator, "sluice-worker": local.Worker.Listen,
	})

	var grafana struct {
		Datasources []struct{ URL string }
	}
	readYAML(t, "grafana/provisioning/datasources/prometheus.yml", &grafana)
	if got := grafana.Datasources[0].URL; got != "http://prometheus:9090" || !c.Services["prometheus"].publishes("9090") {
		t.Errorf("Grafana asks %s", got)
	}
	var provider struct {
		Providers []struct{ Options struct{ Path string } }
	}
	readYAML(t, "grafana/provisioning/dashboards/sluice.yml", &provider)
	home := c.Services["grafana"].Environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
	if path.Dir(home) != provider.Providers[0].Options.Path {
		t.Errorf("the home dashboard is %s, and the provider reads %s", home, provider.Providers[0].Options.Path)
	}
	if _, err := os.Stat(filepath.FromSlash(c.Services["grafana"].here(t, home))); err != nil {
		t.Error(err)
	}
}

func compareTargets(t *testing.T, file string, want map[string]string) {
	t.Helper()
	var prometheus struct {
		Scrape []struct {
			Job    string                       `yaml:"job_name"`
			Static []struct{ Targets []string } `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}
	readYAML(t, file, &prometheus)
	for _, job := range prometheus.Scrape {
		if got := job.Static[0].Targets[0]; got != want[job.Job] {
			t.Errorf("%s: %s is scraped at %s, and is at %s", file, job.Job, got, want[job.Job])
		}
	}
	if len(prometheus.Scrape) != len(want) {
		t.Errorf("%s has %d jobs, want %d", file, len(prometheus.Scrape), len(want))
	}
}
