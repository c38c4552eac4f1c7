// Package validate wires the validation of a backlog together: the file, legacy,
// Temporal and the worker of the one workflow that does it.
//
// Components, in the order they start: file, legacy, Temporal client, the watch over
// shadow support, worker, workflow. The workflow outlives the process: who runs the
// same validation again goes on with it.
package validate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"go.temporal.io/sdk/client"
	"go.uber.org/zap"

	"sluice/cmd/internal/comparison"
	"sluice/cmd/internal/connect"
	"sluice/configs"
	"sluice/rollout"
	"sluice/rollout/evidence"
	"sluice/temporalpath"
	"sluice/temporalpath/validation"
)

// Options are what a validation needs besides its configuration.
type Options struct {
	// File is a file of requests, or with IDs of doc_ids, one a line.
	File string
	IDs  bool
	// ReadBack is how legacy gives a document back, as "GET /v1/documents/{id}"; Route
	// is the one that they are posted to, empty for the only one. Both are for IDs.
	ReadBack, Route string
	// HeadersFile names a file of fields that every request to legacy carries; may be
	// empty.
	HeadersFile string
	// LegacyWrites lets legacy store the documents.
	LegacyWrites bool
	// Parallel is how many requests are under way at one time; 0 is shadow.parallel.
	Parallel int
	// Again begins anew although the same was validated before.
	Again bool
	Log   *zap.Logger
	// Lookup reads the environment, as os.LookupEnv does.
	Lookup func(name string) (string, bool)
	// Progress is told how far it is, and why it cannot go on for now; may be nil.
	Progress func(p validation.Progress, waits error)
}

// The modes, as the workflow's input has them.
const (
	modeDry    = "dry-run"
	modeWrites = "legacy-writes"
)

// ErrNoDryRun says that legacy would have to be called for real.
var ErrNoDryRun = errors.New("legacy has no dry run: legacy.dry_run.header is empty, and without one every request of the file would be stored\n" +
	"hint: name the field that makes legacy answer without storing, or allow it to store with -legacy-writes")

// Validation is one validation, in one process. Open prepares it.
type Validation struct {
	config  configs.Config
	options Options
	mode    string

	lines    *validation.Lines
	requests *requests
	legacy   *legacy
	pairs    rollout.Exposure // the share of the runs that are made twice
	books    books
	reader   evidence.Reader
	client   client.Client
	path     *temporalpath.Path
	closers  []func() error // run in reverse by Close
}

// Open checks the whole file; nothing is sent to anyone yet. Close releases what Open
// made.
func Open(config configs.Config, options Options) (*Validation, error) {
	v := &Validation{config: config, options: options, mode: modeDry}
	if options.LegacyWrites {
		v.mode = modeWrites
	}
	if v.options.Parallel < 1 {
		v.options.Parallel = config.Shadow.Parallel
	}
	for _, step := range []func() error{v.openLegacy, v.openFile, v.openBooks, v.openTemporal} {
		if err := step(); err != nil {
			return nil, errors.Join(err, v.Close())
		}
	}
	return v, nil
}

func (v *Validation) openBooks() error {
	by, err := comparison.Read(v.config.Shadow)
	if err != nil {
		return err
	}
	v.books, v.pairs = books{evidence.By{Comparer: by.Comparer, Redact: by.Redact, Build: v.build}}, by.Pairs
	v.reader = evidence.Reader{Rules: by.Rules, Marks: by.Marks, Limits: by.Limits}
	return nil
}

// build asks Temporal which worker ran a shadow run.
func (v *Validation) build(ctx context.Context, id string) string { return v.path.BuildOf(ctx, id) }

func (v *Validation) openTemporal() error {
	dialing, err := connect.Dialing(v.config.Temporal)
	if err != nil {
		return err
	}
	dialing.Logger = connect.TemporalLog(v.options.Log)
	if v.client, err = temporalpath.Dial(dialing); err != nil {
		return err
	}
	v.closers = append(v.closers, func() error { v.client.Close(); return nil })
	check, err := connect.ClaimCheck(v.config.Temporal.ClaimCheck, v.options.Lookup)
	if err != nil {
		return err
	}
	v.path, err = temporalpath.New(connect.Path(&v.config, v.client, check))
	return err
}

// id names the validation by all that makes its result: the file, how legacy is
// called, how answers are compared, and what of them may be kept.
func (v *Validation) id() string {
	// Nothing in it can fail to be written.
	text, _ := json.Marshal([]any{
		v.lines.SHA256(), v.mode, v.options.IDs, v.options.ReadBack, v.options.Route, v.config.Legacy.URL, v.config.Legacy.DryRun,
		v.config.Routes, v.config.Shadow.Compare, v.config.Shadow.Redact, v.config.Shadow.Pairs, v.config.Rollout.Salt, v.config.Temporal.Prefix,
	})
	sum := sha256.Sum256(text)
	return validation.IDOf(hex.EncodeToString(sum[:16]))
}

// Lines returns how many requests there are.
func (v *Validation) Lines() int { return v.lines.Len() }

// Close releases everything. It is to be called once.
func (v *Validation) Close() error {
	var errs []error
	for _, closer := range slices.Backward(v.closers) {
		errs = append(errs, closer())
	}
	v.closers = nil
	return errors.Join(errs...)
}

// input returns the workflow's input. Batches are small, for one that is cut off by
// a crash may be done again in part; where legacy stores, they are of one request.
func (v *Validation) input() validation.Input {
	const most = 50
	batch := max(1, min(most, v.lines.Len()/(8*v.options.Parallel)))
	if v.mode == modeWrites {
		batch = 1
	}
	return validation.Input{
		File: v.options.File, SHA256: v.lines.SHA256(), Lines: v.lines.Len(),
		Batch: batch, Parallel: v.options.Parallel, Mode: v.mode,
	}
}

// ready asks the workers of all routes that the file uses whether they support shadow
// runs, and fails with why they do not.
func (v *Validation) ready(ctx context.Context) error {
	for _, route := range v.requests.used {
		support, err := v.path.ShadowSupport(ctx, route)
		switch {
		case err != nil:
			return fmt.Errorf("cannot ask Temporal at %s: %w\nhint: temporal.address says where it is", v.config.Temporal.Address, err)
		case !support.OK:
			return fmt.Errorf("route %s: %s\nhint: shadow runs need workers that declare that they leave nothing, such as sluice worker", route, support.Reason)
		}
	}
	return nil
}
