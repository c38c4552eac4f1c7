package configs_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"sluice/configs"
)

func TestTheExampleIsTheDefaults(t *testing.T) {
	got, err := configs.Load("gateway.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if want := configs.Default(); !reflect.DeepEqual(got, want) {
		t.Errorf("gateway.yaml decodes to\n%+v\nthe defaults are\n%+v", got, want)
	}
}

// Every key of the structs stands in the example, or nobody would know of it.
func TestTheExampleNamesEveryKey(t *testing.T) {
	text, err := os.ReadFile("gateway.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var example, defaults map[string]any
	if err := yaml.Unmarshal(text, &example); err != nil {
		t.Fatal(err)
	}
	effective, err := configs.Default().YAML()
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal([]byte(effective), &defaults); err != nil {
		t.Fatal(err)
	}
	keysOf(t, "", defaults, example)
}

func keysOf(t *testing.T, path string, defaults, example any) {
	switch d := defaults.(type) {
	case map[string]any:
		e, _ := example.(map[string]any)
		for key, value := range d {
			if _, ok := e[key]; !ok {
				t.Errorf("gateway.yaml does not have %s.%s", path, key)
			}
			keysOf(t, path+"."+key, value, e[key])
		}
	case []any:
		e, _ := example.([]any)
		for i := range d {
			if i < len(e) {
				keysOf(t, path+"[]", d[i], e[i])
			}
		}
	}
}

func load(t *testing.T, text string, settings ...string) (configs.Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gateway.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return configs.Load(path, settings...)
}

func TestAllMistakesAreNamedAtOnce(t *testing.T) {
	_, err := load(t, `listen:
  public: 8080
legacy:
  url: http://legacy:9000
  answr_timeout: 5s
temporal:
  start_timeout: 5
routes:
  - name: a
    pattern: /a
    doc_id: body:/id
    workflow: {type: T, task_queue: q}
`)
	var problems *configs.Problems
	if !errors.As(err, &problems) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{
		"line 2: listen.public: \"8080\" is not an address",
		"line 5: legacy.answr_timeout: there is no such key",
		"line 7: temporal.start_timeout: \"5\" is not a duration",
		"line 9: routes[0].auth: say how",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q:\n%v", want, err)
		}
	}
	if len(problems.List) != 4 {
		t.Errorf("%d problems instead of 4:\n%v", len(problems.List), err)
	}
}

func TestMistakes(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"not YAML":          {"listen: [", "not YAML"},
		"a key twice":       {"data: a\ndata: b\n", "already defined"},
		"a wrong type":      {"temporal:\n  max_waiters: many\n", "line 2: temporal.max_waiters"},
		"a high threshold":  {"temporal:\n  claim_check: {store: directory, threshold: 2097152}\n", "temporal.claim_check.threshold: is above temporal.max_input"},
		"too many waiters":  {"temporal:\n  max_waiters: 5000\n", "1200"},
		"a size":            {"requests:\n  max_body: 10MB\n", "is not a size"},
		"a typo in auth":    {"routes: [{name: a, pattern: /a, doc_id: 'body:/id', auth: non, workflow: {type: T, task_queue: q}}]\n", `"non" is neither check nor none`},
		"check without URL": {"routes: [{name: a, pattern: /a, doc_id: 'body:/id', auth: check, workflow: {type: T, task_queue: q}}]\n", "check.url"},
		"no routes":         {"routes: []\n", "at least one route"},
		"two of one name":   {"routes: [{name: a, pattern: /a, doc_id: 'body:/id', auth: none, workflow: {type: T, task_queue: q}}, {name: a, pattern: /b, doc_id: 'body:/id', auth: none, workflow: {type: T, task_queue: q}}]\n", "two routes"},
		"a provider":        {"rollout:\n  flags:\n    provider: flagd\n", "line 3: rollout.flags.provider"},
		"a token's file":    {"operator:\n  token_file: secrets/\n", "line 2: operator.token_file"},
		"kept connections":  {"legacy:\n  max_idle: -1\n", "line 2: legacy.max_idle"},
		"underscores":       {"requests:\n  underscore_fields: keep\n", "line 2: requests.underscore_fields"},
		"TLS by halves":     {"temporal:\n  tls:\n    ca_file: ca.pem\n", "temporal.tls.enabled"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := load(t, test.text); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want it to say %q", err, test.want)
			}
		})
	}
}

func TestSettings(t *testing.T) {
	config, err := load(t, "legacy:\n  url: http://a:1\n  max_idle: 7\n", "legacy.url=http://b:2", "drain.lame_duck=0s")
	if err != nil {
		t.Fatal(err)
	}
	if config.Legacy.URL != "http://b:2" || config.Legacy.MaxIdle != 7 || config.Drain.LameDuck != 0 {
		t.Errorf("got %+v, %+v", config.Legacy, config.Drain)
	}
	for _, bad := range []string{"legacy.ulr=x", "nonsense", "drain.lame_duck=5"} {
		if _, err := load(t, "", bad); err == nil || !strings.Contains(err.Error(), strings.SplitN(bad, "=", 2)[0]) {
			t.Errorf("%s: got %v", bad, err)
		}
	}
}

func TestWhatIsPrintedLoadsToTheSame(t *testing.T) {
	first, err := load(t, "requests:\n  max_body: 1536KiB\n")
	if err != nil {
		t.Fatal(err)
	}
	text, err := first.YAML()
	if err != nil {
		t.Fatal(err)
	}
	second, err := load(t, text)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(first, second) {
		t.Errorf("printed and read again it is\n%+v\nnot\n%+v", second, first)
	}
}

func TestPasswordsAreNotPrinted(t *testing.T) {
	config := configs.Default()
	config.Worker.Stores.Cache = "redis://user:hunter2@cache:6379/0"
	text, err := config.YAML()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text, "hunter2") || !strings.Contains(text, "cache:6379") {
		t.Error("the password is printed, or the whole DSN is missing")
	}
}

// Passwords do not show, wherever in a DSN they stand.
func TestPrintedConfigurationHoldsNoPassword(t *testing.T) {
	config := configs.Default()
	config.Worker.Stores.Document = "postgres://u:hunter2@db/x"
	config.Worker.Stores.Vector = "postgres://u@db/x?password=hunter2&sslmode=disable"
	config.Worker.ShadowStores.Cache = "redis://:hunter2@cache:6379/0"
	text, err := config.YAML()
	if err != nil || strings.Contains(text, "hunter2") || !strings.Contains(text, "sqlite:data/stores/documents.db") {
		t.Errorf("%v\n%s", err, text)
	}
}
