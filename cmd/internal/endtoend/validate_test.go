package endtoend_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"

	"sluice/cmd/internal/validate"
	"sluice/configs"
	"sluice/rollout/compare/certificate"
	"sluice/temporalpath/ingestion/stores"
	"sluice/temporalpath/validation"
)

// asValidation holds what a child process validates, so that a test can kill it.
const asValidation = "ENDTOEND_TEST_VALIDATION"

// asked is that.
type asked struct {
	File     string
	Settings []string
}

// beValidation validates until the process is killed, and prints how far it is.
func beValidation(encoded string) error {
	var a asked
	if err := json.Unmarshal([]byte(encoded), &a); err != nil {
		return err
	}
	config, err := configs.Load("../../../configs/gateway.yaml", a.Settings...)
	if err != nil {
		return err
	}
	v, err := validate.Open(config, validate.Options{
		File: a.File, Parallel: 4, Log: zap.NewNop(), Lookup: noVariables,
		Progress: func(p validation.Progress, _ error) { fmt.Println(p.Done) },
	})
	if err != nil {
		return err
	}
	_, err = v.Run(context.Background())
	return err
}

// killedInTheMiddle starts a validation and kills it as soon as a part is done.
func killedInTheMiddle(t *testing.T, file string, settings []string) (done int) {
	t.Helper()
	encoded, err := json.Marshal(asked{file, settings})
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(os.Args[0])
	child.Env, child.Stderr = append(os.Environ(), asValidation+"="+string(encoded)), os.Stderr
	output, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = child.Process.Kill()
		_ = child.Wait()
	}()
	for lines := bufio.NewScanner(output); lines.Scan(); {
		if _, err := fmt.Sscan(lines.Text(), &done); err == nil && done >= 10 {
			return done
		}
	}
	t.Fatal("the validation ended before it could be killed")
	return 0
}

// validationStack is a stack with workers and a legacy that differs, and a file of
// requests.
func validationStack(t *testing.T, d *differing, requests int) (s *stack, file string, settings []string) {
	t.Helper()
	s = assemble(t, "")
	d.serve(t, s.legacy)
	s.work(t)
	file = filepath.Join(s.dir, "requests.jsonl")
	var text strings.Builder
	for i := range requests {
		fmt.Fprintf(&text, "{\"method\":\"POST\",\"path\":\"/v1/documents\",\"body\":%s}\n", documentBody(fmt.Sprint("backlog-", i)))
	}
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return s, file, append(s.settings, "legacy.url="+d.url, `legacy.dry_run.header="X-Dry-Run: true"`, "shadow.pairs=100")
}

// validated runs a validation to its end.
func (s *stack) validated(t *testing.T, settings []string, options validate.Options) *validate.Result {
	t.Helper()
	options.Log, options.Lookup, options.Parallel = zap.NewNop(), noVariables, 4
	v, err := validate.Open(s.load(t, settings), options)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	result, err := v.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// A validation whose process is killed goes on in the next, counts each request once,
// finds what was planted, and has legacy store nothing.
func TestValidationGoesOnAfterACrash(t *testing.T) {
	t.Parallel()
	const requests = 60
	d := &differing{checksum: 200}
	s, file, settings := validationStack(t, d, requests)
	done := killedInTheMiddle(t, file, settings)
	result := s.validated(t, settings, validate.Options{File: file})
	var planted uint64
	for i := range requests {
		if hit(fmt.Sprint("backlog-", i), "checksum", d.checksum) {
			planted++
		}
	}
	e := result.Certificate.Evidence
	if e.Compared != requests || e.Starts.Completed != requests || e.Mismatches != planted || len(e.Starts.Dropped) != 0 {
		t.Errorf("of %d requests, %d planted, killed at %d: %+v", requests, planted, done, e)
	}
	if result.Certificate.State != certificate.Red || result.Summary != "1 field, 1 cause" {
		t.Errorf("%s: %s, %+v", result.Certificate.State, result.Summary, result.Certificate.Lines)
	}
	if samples := result.Samples; len(samples) != 3 || samples[0].Build != "test" || samples[0].Differences[0].Pattern != "/checksum" {
		t.Errorf("three samples are kept of one kind, with the worker's build: %+v", samples)
	}
	if posts, dry := d.posts.Load(), d.dry.Load(); posts != dry || posts < requests || posts > requests+4*3 {
		t.Errorf("legacy got %d documents, %d of them as dry runs", posts, dry)
	}
	for _, kind := range stores.Kinds() {
		if n, err := s.stores[kind].Count(t.Context()); err != nil || n != 0 {
			t.Errorf("%s holds %d documents, %v", kind, n, err)
		}
	}
	// The same again is told from the record.
	before := d.posts.Load()
	if again := s.validated(t, settings, validate.Options{File: file}); again.Before.IsZero() || again.Certificate.Evidence.Compared != requests || d.posts.Load() != before {
		t.Errorf("again: %v, %d compared, %d posts more", again.Before, again.Certificate.Evidence.Compared, d.posts.Load()-before)
	}
}

// Legacy stores if it is allowed to, and only then; what it has stored can be read
// back and validated.
func TestValidationWritesOnlyIfAllowed(t *testing.T) {
	t.Parallel()
	const requests = 12
	d := &differing{}
	s, file, settings := validationStack(t, d, requests)
	count := func() int {
		n, err := s.stores[stores.Document].Count(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	_, err := validate.Open(s.load(t, append(settings, `legacy.dry_run.header=""`)), validate.Options{File: file, Log: zap.NewNop(), Lookup: noVariables})
	if !errors.Is(err, validate.ErrNoDryRun) || d.posts.Load() != 0 {
		t.Errorf("without a dry run: %v, %d posts", err, d.posts.Load())
	}
	result := s.validated(t, settings, validate.Options{File: file, LegacyWrites: true})
	if e := result.Certificate.Evidence; e.Compared != requests || e.Mismatches != 0 || count() != requests || d.posts.Load() != requests || d.dry.Load() != 0 {
		t.Errorf("%+v, %d stored, %d posts, %d dry", e, count(), d.posts.Load(), d.dry.Load())
	}
	ids := filepath.Join(s.dir, "ids")
	if err := os.WriteFile(ids, []byte("backlog-3\nbacklog-4\nnowhere\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	result = s.validated(t, settings, validate.Options{File: ids, IDs: true, ReadBack: "GET /v1/documents/{id}"})
	if e := result.Certificate.Evidence; e.Compared != 2 || e.Mismatches != 0 || e.Starts.Dropped["primary"] != 1 || d.dry.Load() != 2 {
		t.Errorf("read back: %+v, %d dry", e, d.dry.Load())
	}
}
