package chaos

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sluice/cmd/internal/chaos/child"
	"sluice/cmd/internal/chaos/ledger"
	"sluice/cmd/internal/chaos/wishes"
	"sluice/cmd/internal/chaos/workflows"
)

// gatewayConfig is what all gateways share. Temporal is the worse path here, on
// purpose: with a rollback there would soon be nothing on it to look at.
const gatewayConfig = `
log: {level: info, access: false}
legacy: {url: "http://%s", answer_timeout: %s}
temporal:
  address: %s
  prefix: %s
  start_timeout: %s
  wait: %s
  status_key_file: %s
rollout: {flags: {file: %s}}
claims: {store: %s, postgres_file: %q, horizon: %s, lease: %s, timeout: 2s}
requests: {retry_after: 1s}
drain: {lame_duck: 0s, timeout: 10s}
guardrails:
  limits:
    error_ratio: {action: warn}
    error_rate: {action: warn}
    latency_p99: {action: warn}
    latency_p90: {action: warn}
    latency_p50: {action: warn}
    mismatch: {action: warn}
    dead_letter: {action: warn}
routes:
%s`

const routeConfig = `
  - name: %s
    method: POST
    pattern: %s
    doc_id: body:/doc_id
    auth: none
    touches: [{method: DELETE, pattern: "%s/{id}", doc_id: path:id}]
    workflow: {type: %s, task_queue: %s, result: %s, status: 200, dead_letters: [%s]}
    failures: {%s: 500, %s: %d}
`

func (s *stage) writeConfig(dsnFile string) error {
	key := filepath.Join(s.config.Dir, "status.key")
	if err := os.WriteFile(key, []byte(strings.Repeat("ab", 32)), 0o600); err != nil {
		return err
	}
	route := func(name, kind, result string) string {
		return fmt.Sprintf(routeConfig, name, wishes.Path(name), wishes.Path(name), kind, workflows.Queue, result,
			workflows.DeadLetter, workflows.Failed, workflows.DeadLetter, ledger.DeadStatus)
	}
	text := fmt.Sprintf(gatewayConfig, s.links.legacy.Address(), answerTimeout, s.links.temporal.Address(), prefix, startTimeout, clientWait, key,
		s.flagFile(), s.config.Store, dsnFile, horizon, lease,
		route(wishes.RouteUpdate, workflows.TypeUpdate, "update")+route(wishes.RouteClose, workflows.TypeClose, "close"))
	return os.WriteFile(s.configFile(), []byte(text), 0o600)
}

func (s *stage) configFile() string { return filepath.Join(s.config.Dir, "gateway.yaml") }
func (s *stage) flagFile() string   { return filepath.Join(s.config.Dir, "flags.json") }

// data is the directory of a gateway.
func (s *stage) data(i int) string { return filepath.Join(s.config.Dir, fmt.Sprint("gateway-", i)) }

// withoutVariable is refused by every build but those with the tag chaos.
const withoutVariable = "SLUICE_CHAOS_WITHOUT"

// addGateway prepares a gateway whose door and operator listener are known.
func (s *stage) addGateway(i int, binary, door, operator string) {
	config := child.Config{
		Name: fmt.Sprint("gateway ", i), Program: binary, LogFile: s.data(i) + ".log",
		Args: []string{"gateway", "-config", s.configFile(), "-set", "listen.public=" + door,
			"-set", "listen.operator=" + operator, "-set", "data=" + s.data(i)},
		Ready: func(ctx context.Context) error { return ready(ctx, "http://"+operator+"/readyz") },
	}
	if s.config.Without != "" {
		config.Env = []string{withoutVariable + "=" + s.config.Without}
	}
	s.gateways = append(s.gateways, child.New(config))
	s.operators = append(s.operators, "http://"+operator)
}

// ready returns nil if the URL answers 200.
func ready(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	if err := response.Body.Close(); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return nil
}
