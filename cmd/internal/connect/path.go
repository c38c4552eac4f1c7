package connect

import (
	"go.temporal.io/sdk/client"

	"sluice/configs"
	"sluice/temporalpath"
	"sluice/temporalpath/claimcheck"
	"sluice/temporalpath/wire"
)

// Path returns the Temporal path's configuration: every route, as gateways see it.
// check may be nil.
func Path(c *configs.Config, client client.Client, check *claimcheck.Check) temporalpath.Config {
	config := temporalpath.Config{
		Service:      client.WorkflowService(),
		Namespace:    c.Temporal.Namespace,
		IDs:          c.Temporal.IDs(),
		Routes:       map[string]temporalpath.Route{},
		StartTimeout: c.Temporal.StartTimeout.Std(),
		MaxWaiters:   c.Temporal.MaxWaiters,
		MaxInput:     c.Temporal.MaxInput,
	}
	if check != nil {
		config.Codec = check
	}
	for _, r := range c.Routes {
		body, _ := wire.ParseForm(r.Workflow.Body) // it was validated
		config.Routes[r.Name] = temporalpath.Route{
			WorkflowType: r.Workflow.Type, TaskQueue: r.Workflow.TaskQueue, ShadowTaskQueue: r.Workflow.ShadowTaskQueue,
			Update: r.Workflow.Result == "update", Body: body, Status: r.Workflow.Status,
			Failures: r.Failures, ExecutionTimeout: r.Workflow.ExecutionTimeout.Std(),
			RequireSupport: r.Workflow.RequireSupport,
		}
	}
	return config
}
