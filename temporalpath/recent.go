package temporalpath

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
)

// Life is a run of a document's workflow, as visibility lists it.
type Life struct {
	WorkflowID   string
	WorkflowType string
	// Document is the document's key as its memo has it; empty of a run that an older
	// build started. A folded workflow ID does not tell it.
	Document string
	Running  bool
	// Delayed: its start was delayed, whether or not it was released meanwhile.
	Delayed bool
}

// ErrUnlisted says that visibility cannot be asked for a document: its workflow IDs are
// folded, its name holds a backslash, which stores quote in different ways, or too many
// documents have names that begin with it.
var ErrUnlisted = errors.New("temporal cannot be asked for the runs of a document of this name")

// Ran reports whether visibility lists a run of the document, whose key that is; it lags
// behind by a moment, and forgets after the namespace's retention. It fails with
// ErrUnlisted or with Temporal's error.
func (p *Path) Ran(ctx context.Context, key string) (bool, error) {
	begins, tells := p.config.IDs.Begins(key)
	if !tells || strings.Contains(key, `\`) {
		return false, ErrUnlisted
	}
	ctx, cancel := context.WithTimeout(ctx, p.config.StartTimeout)
	defer cancel()
	page, err := p.service.ListWorkflowExecutions(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		Namespace: p.config.Namespace, PageSize: pageSize,
		Query: fmt.Sprintf("WorkflowId STARTS_WITH '%s' AND WorkflowType != '%s'", strings.ReplaceAll(begins, "'", "''"), TombstoneType),
	})
	if err != nil {
		return false, err
	}
	for _, run := range page.Executions {
		if found, _, _, ours := p.config.IDs.Parse(run.GetExecution().GetWorkflowId(), documentOf(run.GetMemo())); ours && found == key {
			return true, nil
		}
	}
	if len(page.NextPageToken) > 0 {
		return false, ErrUnlisted
	}
	return false, nil
}

// pageSize is how many runs are listed in one call.
const pageSize = 1000

// Recent visits the runs under the path's prefix that are open, or were closed
// since, tombstones left out. Visibility lags behind by a moment. It fails with
// Temporal's error, or visit's.
func (p *Path) Recent(ctx context.Context, since time.Time, visit func(Life) error) error {
	request := &workflowservice.ListWorkflowExecutionsRequest{
		Namespace: p.config.Namespace,
		PageSize:  pageSize,
		Query: fmt.Sprintf("WorkflowId STARTS_WITH '%s/' AND WorkflowType != '%s' AND (ExecutionStatus = 'Running' OR CloseTime > '%s')",
			p.config.IDs.Prefix, TombstoneType, since.UTC().Format(time.RFC3339)),
	}
	for {
		page, err := p.service.ListWorkflowExecutions(ctx, request)
		if err != nil {
			return err
		}
		for _, run := range page.Executions {
			life := Life{
				WorkflowID: run.GetExecution().GetWorkflowId(), WorkflowType: run.GetType().GetName(),
				Document: documentOf(run.GetMemo()),
				Running:  run.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING,
				Delayed:  run.GetExecutionTime().AsTime().After(run.GetStartTime().AsTime()),
			}
			if err := visit(life); err != nil {
				return err
			}
		}
		if request.NextPageToken = page.NextPageToken; len(request.NextPageToken) == 0 {
			return nil
		}
	}
}
