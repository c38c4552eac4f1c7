package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// untilUsable returns when every namespace can be used at the frontend: a
// start would neither miss the namespace nor wait for the shard or a task
// queue. The questions asked leave no trace in the server.
func untilUsable(ctx context.Context, frontend string, namespaces []string) error {
	conn, err := grpc.NewClient(frontend, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return fmt.Errorf("connecting to %s: %w", frontend, err)
	}
	defer conn.Close()
	client := workflowservice.NewWorkflowServiceClient(conn)
	for _, name := range namespaces {
		if err := untilAnswering(ctx, client, name); err != nil {
			return fmt.Errorf("namespace %q at %s is not usable: %w", name, frontend, err)
		}
	}
	return nil
}

func untilAnswering(ctx context.Context, client workflowservice.WorkflowServiceClient, namespace string) error {
	for {
		err := errors.Join(askHistory(ctx, client, namespace), askMatching(ctx, client, namespace))
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// askHistory looks for a workflow that cannot exist. That it does not exist is
// the answer of a shard that is loaded and ready for starts.
func askHistory(ctx context.Context, client workflowservice.WorkflowServiceClient, namespace string) error {
	_, err := client.DescribeWorkflowExecution(ctx, &workflowservice.DescribeWorkflowExecutionRequest{
		Namespace: namespace,
		Execution: &commonpb.WorkflowExecution{WorkflowId: "devstack-readiness"},
	})
	var absent *serviceerror.NotFound // not NamespaceNotFound
	if errors.As(serviceerror.FromStatus(status.Convert(err)), &absent) {
		return nil
	}
	return err
}

func askMatching(ctx context.Context, client workflowservice.WorkflowServiceClient, namespace string) error {
	_, err := client.DescribeTaskQueue(ctx, &workflowservice.DescribeTaskQueueRequest{
		Namespace:     namespace,
		TaskQueue:     &taskqueuepb.TaskQueue{Name: "devstack-readiness"},
		TaskQueueType: enumspb.TASK_QUEUE_TYPE_WORKFLOW,
	})
	return err
}
