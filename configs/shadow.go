package configs

import (
	"fmt"
	"strings"
)

// validateShadow finds what could make a mirrored run write to real stores, or be
// taken for a real run.
func validateShadow(c *Config, wrong complain) {
	if prefix := c.Temporal.Prefix; prefix == "shadow" || strings.HasPrefix(prefix, "shadow/") {
		wrong("temporal.prefix", "%q begins the workflow IDs of mirrored runs: choose another", prefix)
	}
	for i := range c.Routes {
		c.realQueue(fmt.Sprintf("routes[%d].workflow.shadow_task_queue", i), c.Routes[i].Workflow.ShadowTaskQueue, wrong)
	}
	w := &c.Worker
	if w.ShadowTaskQueue == "" {
		return
	}
	c.realQueue("worker.shadow_task_queue", w.ShadowTaskQueue, wrong)
	for _, store := range []struct{ name, real, shadow string }{
		{"document", w.Stores.Document, w.ShadowStores.Document}, {"vector", w.Stores.Vector, w.ShadowStores.Vector},
		{"graph", w.Stores.Graph, w.ShadowStores.Graph}, {"cache", w.Stores.Cache, w.ShadowStores.Cache},
	} {
		key := "worker.shadow_stores." + store.name
		switch store.shadow {
		case "":
			wrong(key, "must not be empty; a worker without shadow stores has worker.shadow_task_queue: \"\"")
		case store.real:
			wrong(key, "is worker.stores.%s, so mirrored runs would write to the real store: name another database, or add ?namespace=shadow", store.name)
		}
	}
}

// realQueue complains of a shadow task queue on which real runs are started.
func (c *Config) realQueue(key, shadow string, wrong complain) {
	const text = "%q is %s too, where real documents go: name a task queue of its own, such as %s-shadow"
	if shadow == "" {
		return
	}
	for i := range c.Routes {
		if c.Routes[i].Workflow.TaskQueue == shadow {
			wrong(key, text, shadow, fmt.Sprintf("routes[%d].workflow.task_queue", i), shadow)
			return
		}
	}
	if c.Worker.TaskQueue == shadow {
		wrong(key, text, shadow, "worker.task_queue", shadow)
	}
}
