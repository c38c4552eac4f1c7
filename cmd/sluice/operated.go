package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"sluice/router/operator"
)

// operated are the flags of every command that talks to a gateway's operator API,
// and the client that they describe.
type operated struct {
	flags     *flag.FlagSet
	operator  string
	tokenFile string
	json      bool

	token  string
	client *http.Client
}

func newOperated(name string, stderr io.Writer) *operated {
	o := &operated{flags: flag.NewFlagSet("sluice "+name, flag.ContinueOnError)}
	o.flags.SetOutput(stderr)
	o.flags.StringVar(&o.operator, "operator", "http://127.0.0.1:8081", "`URL` of a gateway's operator listener")
	o.flags.StringVar(&o.tokenFile, "token-file", "", "`file` with the gateway's token, if it is on another machine")
	o.flags.BoolVar(&o.json, "json", false, "print JSON, one object a line, instead of text for people")
	return o
}

// parse reads flags and the arguments that are named, which may stand in any
// order; what comes after -- is an argument.
func (o *operated) parse(args []string, named ...string) ([]string, error) {
	found, err := o.collect(args)
	switch {
	case err != nil:
		return nil, err
	case len(found) < len(named):
		return nil, o.wrong("%s is missing", named[len(found)])
	case len(found) > len(named):
		return nil, o.wrong("unexpected argument %q", found[len(named)])
	}
	return found, o.open()
}

// collect reads flags, and returns the arguments.
func (o *operated) collect(args []string) (found []string, err error) {
	for rest := args; len(rest) > 0; {
		if err := o.flags.Parse(rest); errors.Is(err, flag.ErrHelp) {
			return nil, err
		} else if err != nil {
			return nil, errUsage // the flag set has said what is wrong
		}
		left := o.flags.Args()
		if at := len(rest) - len(left) - 1; at >= 0 && rest[at] == "--" {
			found = append(found, left...)
			break
		}
		if rest = nil; len(left) > 0 {
			found, rest = append(found, left[0]), left[1:]
		}
	}
	return found, nil
}

// wrong says what is wrong with the arguments.
func (o *operated) wrong(format string, args ...any) error {
	fmt.Fprintf(o.flags.Output(), format+"\n", args...)
	return errUsage
}

// open makes the client.
func (o *operated) open() error {
	at, err := url.Parse(o.operator)
	if err != nil || (at.Scheme != "http" && at.Scheme != "https") || at.Host == "" || at.RawQuery != "" || at.Fragment != "" {
		return o.wrong("-operator: %q is not a URL such as http://127.0.0.1:8081", o.operator)
	}
	if o.tokenFile != "" {
		text, err := os.ReadFile(o.tokenFile)
		if err != nil {
			return fmt.Errorf("%w\nhint: -token-file names a file with the token that %s holds", err, operator.TokenKey)
		}
		if o.token = strings.TrimSpace(string(text)); o.token == "" {
			return fmt.Errorf("%s is empty\nhint: -token-file names a file with the token that %s holds", o.tokenFile, operator.TokenKey)
		}
	}
	o.client = &http.Client{
		Timeout: time.Minute,
		// The token is for this address alone.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return nil
}

// get asks for the path, which is escaped, and reads the answer.
func (o *operated) get(ctx context.Context, path string, query url.Values, answer any) error {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return o.call(ctx, http.MethodGet, path, nil, answer)
}

// post sends a change and reads the answer.
func (o *operated) post(ctx context.Context, path string, change, answer any) error {
	body, err := json.Marshal(change)
	if err != nil {
		return fmt.Errorf("%w\nhint: arguments must be valid UTF-8", err)
	}
	return o.call(ctx, http.MethodPost, path, body, answer)
}

func (o *operated) call(ctx context.Context, method, path string, body []byte, answer any) error {
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(o.operator, "/")+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if o.token != "" {
		request.Header.Set("Authorization", "Bearer "+o.token)
	}
	response, err := o.client.Do(request)
	if err != nil {
		return fmt.Errorf("%w\nhint: -operator names the operator listener of a gateway that runs (listen.operator)", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusAccepted {
		return refusal(response)
	}
	if err := json.UnmarshalRead(response.Body, answer); err != nil {
		return fmt.Errorf("the answer of %s: %w\n%s", o.operator, err, hintElsewhere)
	}
	return nil
}

const hintElsewhere = "hint: -operator names the operator listener (listen.operator), not the door for clients"

// refusal is what the gateway answered instead, as an error.
func refusal(response *http.Response) error {
	var p operator.Problem
	if err := json.UnmarshalRead(io.LimitReader(response.Body, 1<<20), &p); err != nil || !strings.HasPrefix(p.Type, operator.ProblemType) {
		return fmt.Errorf("%s answered %s\n%s", response.Request.URL.Host, response.Status, hintElsewhere)
	}
	hint := "hint: the gateway's log says more"
	switch p.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		hint = "hint: -token-file names a file with the gateway's token; on the gateway's own machine none is needed"
	case http.StatusNotFound, http.StatusConflict:
		hint = conflict(strings.TrimPrefix(p.Type, operator.ProblemType))
	case http.StatusBadRequest:
		hint = "hint: -h explains the arguments"
	}
	return fmt.Errorf("%s\n%s", p.Detail, hint)
}

// conflict is the hint for what is not there, or not so.
func conflict(slug string) string {
	switch slug {
	case "brake-lower":
		return "hint: sluice rollout status shows the brake, sluice rollout release lifts it"
	case "plan-refused":
		return "hint: sluice rollout plan shows where the plan is, sluice rollout status the brake"
	case "not-found":
		return "hint: the gateway may be of another version: sluice version"
	}
	return "hint: sluice claims open lists what is open"
}
