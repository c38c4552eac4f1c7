// Command go polls a task queue for the ingestion workflows of package ingest. Its settings
// are variables of the environment; see docs/workflows.md.
package main

import (
	"log"
	"os"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"sluice/docs/workers/go/ingest"
)

func main() {
	c, err := client.Dial(client.Options{HostPort: os.Getenv("TEMPORAL_ADDRESS"), Namespace: os.Getenv("TEMPORAL_NAMESPACE")})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	w := ingest.NewWorker(c, ingest.Config{
		TaskQueue: os.Getenv("TASK_QUEUE"), Deployment: os.Getenv("DEPLOYMENT"), BuildID: os.Getenv("BUILD_ID"), Store: os.Getenv("STORE"),
	})
	if err := w.Run(worker.InterruptCh()); err != nil {
		log.Fatal(err)
	}
}
