package ingestion_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"sluice/temporalpath/ingestion"
	"sluice/temporalpath/ingestion/stores"
	"sluice/temporalpath/wire"
)

// failing is a way in which one step fails for good.
type failing struct {
	kind    stores.Kind
	written bool // the write happened, and the step was told that it did not
	final   bool // the store says that no repeat will help
}

func (f failing) String() string {
	return fmt.Sprintf("%s-written=%v-final=%v", f.kind, f.written, f.final)
}

func everyFailure() (all []failing) {
	for _, kind := range stores.Kinds() {
		for _, written := range []bool{false, true} {
			for _, final := range []bool{false, true} {
				all = append(all, failing{kind, written, final})
			}
		}
	}
	return all
}

// hooks returns the hooks that make the step fail.
func (f failing) hooks() (before, after func(stores.Kind, string, stores.Ref) error) {
	err := errDown
	if f.final {
		err = fmt.Errorf("%w: %w", stores.ErrRefused, errDown)
	}
	if f.written {
		return nil, fail(f.kind, "put", err)
	}
	return fail(f.kind, "put", err), nil
}

// calls is what the stores must have seen: the steps up to the one that fails,
// that one as often as the policy says, and the undos in reverse.
func (f failing) calls() (want []string) {
	attempts := int(quick.Attempts)
	if f.final {
		attempts = 1
	}
	var undos []string
	for _, kind := range stores.Kinds() {
		undos = append(undos, "undo "+string(kind), "compensated "+string(kind)+": <nil>")
		if kind == f.kind {
			want = append(want, slices.Repeat([]string{"put " + string(kind)}, attempts)...)
			break
		}
		want = append(want, "put "+string(kind))
	}
	for i := len(undos) - 2; i >= 0; i -= 2 {
		want = append(want, undos[i], undos[i+1])
	}
	return want
}

// expect checks the failure, the order of the calls, and that the stores hold
// only what was there before.
func (f failing) expect(t *testing.T, failure *ingestion.Failure, d *diary, real stores.Handles, doc string) {
	t.Helper()
	if failure.Type != ingestion.TypeIngestionFailed || failure.Step != string(f.kind) ||
		!strings.Contains(failure.Reason, errDown.Error()) || len(failure.NotUndone) > 0 {
		t.Errorf("failure %+v", failure)
	}
	if got, want := d.all(), f.calls(); !slices.Equal(got, want) {
		t.Errorf("calls\n %q, want\n %q", got, want)
	}
	for _, kind := range stores.Kinds() {
		got, err := real[kind].Get(t.Context(), doc)
		if err != nil || got.Intent != "before" {
			t.Errorf("%s store shows %+v, error %v; want the version from before", kind, got.Ref, err)
		}
		if err := real[kind].Undo(t.Context(), got.Ref); err != nil {
			t.Fatal(err)
		}
		if got, err := real[kind].Get(t.Context(), doc); err == nil {
			t.Errorf("%s store has %+v left below it", kind, got.Ref)
		}
	}
}

// version0 stores a version that was there before, in all four stores.
func version0(t *testing.T, real stores.Handles, doc string) {
	t.Helper()
	for _, handle := range real {
		before := stores.Record{Ref: stores.Ref{DocID: doc, Intent: "before", Sequence: 1}, Data: []byte("{}")}
		if err := handle.Put(t.Context(), before); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSagaLeavesNothingBehindWhicheverStepFails(t *testing.T) {
	p := settle(t)
	for _, f := range everyFailure() {
		t.Run(f.String(), func(t *testing.T) {
			d, in := &diary{}, document(f.String(), "a", prose)
			version0(t, p.real, in.DocID)
			before, after := f.hooks()
			p.work(t, f.String(), hooked(p.config(), d, before, after))
			_, err := p.ingest(t, f.String(), in)
			f.expect(t, failureOf(t, err), d, p.real, in.DocID)
			_, err = p.closed(t, in)
			if failureOf(t, err).Type != ingestion.TypeIngestionFailed {
				t.Errorf("the workflow itself ended with %v", err)
			}
		})
	}
}

func TestWorkflowIngests(t *testing.T) {
	p := settle(t)
	p.work(t, "queue", p.config())
	in := document("doc", "a", prose)
	got, err := p.ingest(t, "queue", in)
	if err != nil {
		t.Fatal(err)
	}
	want := ingestion.Result{DocID: "doc", Status: "ingested", Chunks: 1, Entities: 5, Checksum: got.Checksum}
	if got != want || len(got.Checksum) != 64 {
		t.Errorf("result %+v", got)
	}
	if again, err := p.ingest(t, "queue", in); err != nil || again != got {
		t.Errorf("a repeat answers %+v, error %v", again, err)
	}
	if closed, err := p.closed(t, in); err != nil || closed != got {
		t.Errorf("the workflow itself ended with %+v, error %v", closed, err)
	}
	if n, shadow := counts(t, p.real), counts(t, p.shadow); n != [4]int{1, 1, 1, 1} || shadow != [4]int{} {
		t.Errorf("stores hold %v documents, shadow stores %v", n, shadow)
	}
}

func TestInvalidDocumentWritesNothing(t *testing.T) {
	p := settle(t)
	d := &diary{}
	p.work(t, "queue", hooked(p.config(), d, nil, nil))
	for i, body := range []string{``, `null`, `[]`, `"text"`, `{"doc_id":`, `{} {}`, "\xff\x00"} {
		_, err := p.ingest(t, "queue", document(fmt.Sprint("doc-", i), "a", body))
		if failure := failureOf(t, err); failure.Type != ingestion.TypeInvalidDocument || failure.Step != ingestion.StepCheck {
			t.Errorf("body %q: %+v", body, failure)
		}
	}
	if calls := d.all(); len(calls) > 0 {
		t.Errorf("the stores were called: %q", calls)
	}
}

func TestShadowRunTouchesShadowStoresOnly(t *testing.T) {
	p := settle(t)
	p.work(t, "queue", p.config())
	in := document("doc", "a", prose)
	in.Shadow = true
	if _, err := p.ingest(t, "queue", in); err != nil {
		t.Fatal(err)
	}
	if n, shadow := counts(t, p.real), counts(t, p.shadow); n != [4]int{} || shadow != [4]int{1, 1, 1, 1} {
		t.Errorf("stores hold %v documents, shadow stores %v", n, shadow)
	}
}

// A shadow run that fails must not undo the primary run of the same intent.
func TestShadowRunCompensatesShadowStoresOnly(t *testing.T) {
	p := settle(t)
	d, in := &diary{}, document("doc", "a", prose)
	config := p.config()
	config.Shadow.Cache = flaky{Store: config.Shadow.Cache, kind: stores.Cache, diary: d, after: fail(stores.Cache, "put", errDown)}
	config.Observer = d
	p.work(t, "queue", config)
	if _, err := p.ingest(t, "queue", in); err != nil {
		t.Fatal(err)
	}
	in.Shadow, in.Life = true, 2
	if _, err := p.ingest(t, "queue", in); failureOf(t, err).Type != ingestion.TypeIngestionFailed {
		t.Errorf("shadow run ended with %v", err)
	}
	if n, shadow := counts(t, p.real), counts(t, p.shadow); n != [4]int{1, 1, 1, 1} || shadow != [4]int{} {
		t.Errorf("stores hold %v documents, shadow stores %v", n, shadow)
	}
	if !slices.Contains(d.all(), "compensated shadow_document: <nil>") {
		t.Errorf("observed %q", d.all())
	}
}

func TestHundredConcurrentWorkflows(t *testing.T) {
	p := settle(t)
	p.work(t, "queue", p.config())
	const n = 100
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			id := fmt.Sprint("doc-", i)
			if got, err := p.ingest(t, "queue", document(id, "a", prose)); err != nil || got.DocID != id {
				t.Errorf("%s: %+v, error %v", id, got, err)
			}
		})
	}
	group.Wait()
	if got := counts(t, p.real); got != [4]int{n, n, n, n} {
		t.Errorf("stores hold %v documents", got)
	}
}

// Versions of one document that are ingested at the same time end as one: the
// same in all four stores, and the one that began last.
func TestConcurrentVersionsOfOneDocument(t *testing.T) {
	p := settle(t)
	p.work(t, "queue", p.config())
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			in := document("doc", fmt.Sprint("intent-", i), fmt.Sprintf(`{"text":"Version %d"}`, i))
			if _, err := p.ingest(t, "queue", in); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	first, err := p.real[stores.Document].Get(t.Context(), "doc")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range stores.Kinds() {
		if got, err := p.real[kind].Get(t.Context(), "doc"); err != nil || got.Ref != first.Ref {
			t.Errorf("%s store shows %+v, error %v; the document store %+v", kind, got.Ref, err, first.Ref)
		}
	}
}

func TestCancelledRunIsUndoneAndAnswered(t *testing.T) {
	p := settle(t)
	reached, d, in := make(chan struct{}), &diary{}, document("doc", "a", prose)
	config := hooked(p.config(), d, nil, func(kind stores.Kind, op string, _ stores.Ref) error {
		if kind == stores.Vector && op == "put" {
			reached <- struct{}{}
			<-t.Context().Done() // an attempt that is given up and runs on
		}
		return nil
	})
	p.work(t, "queue", config)
	answered := make(chan error, 1)
	go func() {
		_, err := p.ingest(t, "queue", in)
		answered <- err
	}()
	<-reached
	if err := p.client.CancelWorkflow(t.Context(), "sluice/doc/a/1", ""); err != nil {
		t.Fatal(err)
	}
	if failure := failureOf(t, <-answered); failure.Type != ingestion.TypeIngestionFailed || failure.Step != "vector" {
		t.Errorf("the update answered %+v", failure)
	}
	if _, err := p.closed(t, in); !temporal.IsCanceledError(err) {
		t.Errorf("the workflow ended with %v, want cancelled", err)
	}
	if n := counts(t, p.real); n != [4]int{} {
		t.Errorf("stores hold %v documents", n)
	}
}

// An update that comes long after the start, and another beside it, are both
// answered: the workflow does not end under them.
func TestLateUpdatesAreAnswered(t *testing.T) {
	p := settle(t)
	reached, release, in := make(chan struct{}, 1), make(chan struct{}), document("doc", "a", prose)
	p.work(t, "queue", hooked(p.config(), &diary{}, func(kind stores.Kind, op string, _ stores.Ref) error {
		if kind == stores.Vector {
			reached <- struct{}{}
			<-release
		}
		return nil
	}, nil))
	if _, err := p.client.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "sluice/doc/a/1", TaskQueue: "queue"}, ingestion.WorkflowType, in); err != nil {
		t.Fatal(err)
	}
	<-reached
	var updates []client.WorkflowUpdateHandle
	for i := range 3 {
		update, err := p.client.UpdateWorkflow(t.Context(), client.UpdateWorkflowOptions{
			WorkflowID: "sluice/doc/a/1", UpdateID: fmt.Sprint(i), UpdateName: wire.ResultUpdate,
			WaitForStage: client.WorkflowUpdateStageAccepted,
		})
		if err != nil {
			t.Fatal(err)
		}
		updates = append(updates, update)
	}
	close(release)
	for _, update := range updates {
		var answer wire.Answer
		err := update.Get(t.Context(), &answer)
		if got := resultOf(t, answer, err); err != nil || got.Status != "ingested" {
			t.Errorf("update answered %+v, error %v", got, err)
		}
	}
}
