package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"sluice/cmd/internal/validate"
	"sluice/configs"
	"sluice/rollout/compare/certificate"
)

// validateFlags are what a validation is asked for with, beside the configuration.
type validateFlags struct {
	*configured
	file, ids string
	json      bool
	samples   int
	options   validate.Options
}

func newValidateFlags(stderr io.Writer) *validateFlags {
	f := &validateFlags{configured: newConfigured("validate", stderr)}
	o := &f.options
	f.flags.StringVar(&f.file, "file", "", "`file` of requests, one a line: {\"method\":\"POST\",\"path\":\"/v1/documents\",\"headers\":{},\"body\":{}}")
	f.flags.StringVar(&f.ids, "ids", "", "`file` of doc_ids instead, one a line, of documents that legacy can give back")
	f.flags.StringVar(&o.ReadBack, "read-back", "", "how legacy gives one back, such as '`GET /v1/documents/{id}`'")
	f.flags.StringVar(&o.Route, "route", "", "the `name` of the route that they are posted to, if there are several")
	f.flags.StringVar(&o.HeadersFile, "headers", "", "`file` of fields that each request to legacy carries, one \"Name: value\" a line")
	f.flags.BoolVar(&o.LegacyWrites, "legacy-writes", false, "call legacy for real, so that it stores every document; else only as legacy.dry_run says")
	f.flags.IntVar(&o.Parallel, "parallel", 0, "so `many` requests at one time; 0 is shadow.parallel")
	f.flags.BoolVar(&o.Again, "again", false, "begin anew although the same file was validated before")
	f.flags.IntVar(&f.samples, "samples", 3, "print so `many` of the comparisons that differ, with both answers, one of each kind first")
	f.flags.BoolVar(&f.json, "json", false, "print the report as JSON")
	return f
}

// complete checks what belongs together.
func (f *validateFlags) complete() error {
	wrong := ""
	switch {
	case (f.file == "") == (f.ids == ""):
		wrong = "name a file with -file, or one with -ids"
	case f.ids != "" && f.options.ReadBack == "":
		wrong = "-ids needs -read-back"
	case f.ids == "" && (f.options.ReadBack != "" || f.options.Route != ""):
		wrong = "-read-back and -route belong to -ids"
	case f.options.Parallel < 0 || f.samples < 0:
		wrong = "-parallel and -samples cannot be below 0"
	}
	if wrong != "" {
		fmt.Fprintln(f.flags.Output(), wrong)
		return errUsage
	}
	f.options.File, f.options.IDs = f.file+f.ids, f.ids != ""
	return nil
}

// runValidate validates a backlog, to the end or until ctx ends.
func runValidate(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	f := newValidateFlags(stderr)
	config, done, err := f.load(args, stdout)
	if done {
		return err
	}
	if err := f.complete(); err != nil {
		return err
	}
	result, err := f.validate(ctx, config, stderr)
	if err != nil {
		return err
	}
	if f.json {
		err = json.NewEncoder(stdout).Encode(result.Report)
	} else {
		printReport(stdout, result.Report)
		printSamples(stdout, result.Samples, f.samples)
	}
	if err == nil && result.Certificate.State != certificate.Green {
		err = errUnproved
	}
	return err
}

func (f *validateFlags) validate(ctx context.Context, config configs.Config, stderr io.Writer) (*validate.Result, error) {
	var err error
	// What the worker says in passing is for who looks for trouble.
	level := config.Log.Level
	if level == "info" {
		level = "error"
	}
	if f.options.Log, err = f.logger(level, stderr); err != nil {
		return nil, err
	}
	f.options.Lookup = os.LookupEnv
	bar := newBar(stderr)
	f.options.Progress = bar.show
	v, err := validate.Open(config, f.options)
	if err != nil {
		return nil, err
	}
	result, err := v.Run(ctx)
	bar.end()
	if err == nil && !result.Before.IsZero() {
		fmt.Fprintf(stderr, "validated before, until %s; -again validates it anew\n", result.Before.Format("2006-01-02 15:04:05 MST"))
	}
	return result, errors.Join(err, v.Close())
}
