package endtoend_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"sluice/router/operator"
	"sluice/temporalpath"
	"sluice/temporalpath/wire"
)

// endRuns is the signal that ends the runs that were told to go on.
const endRuns = "end"

// kinds runs a workflow that goes on until it is told to end, where its document says so,
// and returns its route and doc_id.
func (s *stack) kinds(t *testing.T) client.Client {
	t.Helper()
	c, err := temporalpath.Dial(temporalpath.Dialing{Address: s.server.Frontend, Namespace: "default"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	polls := worker.New(c, "kinds", worker.Options{})
	polls.RegisterWorkflowWithOptions(func(ctx workflow.Context, in wire.Input) ([]string, error) {
		if strings.Contains(string(in.Body), "long") {
			workflow.GetSignalChannel(ctx, endRuns).Receive(ctx, nil)
		}
		return []string{in.Route, in.DocID}, nil
	}, workflow.RegisterOptions{Name: "Kind"})
	if err := polls.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(polls.Stop)
	return c
}

// kindRoutes are three routes with integers as doc_ids, each in a space.
func kindRoutes(orders, invoices, notes string) string {
	var all []string
	for name, space := range map[string]string{"orders": orders, "invoices": invoices, "notes": notes} {
		all = append(all, fmt.Sprintf("{name: %s, pattern: /v1/%[1]s, doc_id: 'body:/id', integer_ids: true, id_space: %q, auth: none, "+
			"workflow: {type: Kind, task_queue: kinds}}", name, space))
	}
	return "routes=[" + strings.Join(all, ", ") + "]"
}

// bring posts a document by one of the routes, and waits for it a second at most.
func (s *stack) bring(t *testing.T, address, route, body string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/v1/"+route, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Prefer", "wait=1")
	a, err := send(s.client, r)
	if err != nil || a.path() != "temporal" {
		t.Fatalf("%s: %v, %v", route, a, err)
	}
	return a
}

// A long run on one route holds back another route's document of the same doc_id in the
// same space, which is that of all routes that name none, and not in another. Operators
// find the documents by their spaces, and so they are put back after a loss of power.
func TestALongRunHoldsBackItsSpaceAlone(t *testing.T) {
	t.Parallel()
	for name, spaces := range map[string][3]string{"named": {"a", "b", "a"}, "one without a name": {"", "b", ""}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := assemble(t, "", kindRoutes(spaces[0], spaces[1], spaces[2]))
			temporal := s.kinds(t)
			s.rollTo(t, 100)
			data := filepath.Join(s.dir, "power")
			settings := append(s.settings, "data="+data)
			g, stop := s.runGateway(t, settings)
			eventually(t, "the gateway goes by the flag", func() bool {
				return strings.Contains(string(get(t, s.client, "http://"+g.OperatorAddress()+"/metrics").body), "rollout_exposure_ratio{ceiling=\"effective\"} 1\n")
			})
			if a := s.bring(t, g.PublicAddress(), "orders", `{"id":7,"run":"long"}`); a.status != http.StatusAccepted {
				t.Errorf("the long run: %v", a)
			}
			if a := s.bring(t, g.PublicAddress(), "invoices", `{"id":7}`); a.status != http.StatusOK || string(a.body) != `["invoices","7"]` {
				t.Errorf("another space's document waits: %v", a)
			}
			held := s.bring(t, g.PublicAddress(), "notes", `{"id":"7"}`)
			if held.status != http.StatusAccepted {
				t.Errorf("the same space's document does not wait: %v", held)
			}
			identity := "7"
			if spaces[0] != "" {
				identity = "%space:" + spaces[0] + "/7"
			}
			s.wantClaims(t, g.OperatorAddress(), identity)
			stop()

			loseClaims(t, filepath.Join(data, "claims"))
			g, stop = s.runGateway(t, settings)
			defer stop()
			s.wantClaims(t, g.OperatorAddress(), identity)
			s.endRuns(t, temporal)
			eventually(t, "what was held back is done", func() bool {
				a := s.bring(t, g.PublicAddress(), "notes", `{"id":"7"}`)
				return a.status == http.StatusOK && string(a.body) == `["notes","7"]` && a.header.Get("Rollout-Replayed") == "true"
			})
		})
	}
}

// endRuns ends the runs that go on.
func (s *stack) endRuns(t *testing.T, c client.Client) {
	t.Helper()
	runs, err := c.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Namespace: "default"})
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range runs.Executions {
		_ = c.SignalWorkflow(t.Context(), run.Execution.WorkflowId, run.Execution.RunId, endRuns, nil) // some have ended
	}
}

// wantClaims waits until two claims of the document are open, by orders and by notes, and
// the document is found by its name.
func (s *stack) wantClaims(t *testing.T, address, identity string) {
	t.Helper()
	eventually(t, "two claims of "+identity+" are open", func() bool {
		var found []string
		for _, path := range []string{"/api/claims", "/api/claims/" + url.PathEscape(identity)} {
			var page operator.ClaimPage
			if err := json.Unmarshal(get(t, s.client, "http://"+address+path).body, &page); err != nil {
				t.Fatal(err)
			}
			found = nil
			for _, c := range page.Claims {
				if c.DocID == identity {
					found = append(found, c.Route)
				}
			}
			if len(found) != 2 {
				return false
			}
		}
		slices.Sort(found)
		return slices.Equal(found, []string{"notes", "orders"})
	})
}
