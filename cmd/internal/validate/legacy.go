package validate

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"sluice/rollout"
	"sluice/temporalpath/validation"
)

// legacy calls the legacy service.
type legacy struct {
	base   string // without a slash at its end
	client *http.Client
	// extra are the fields that requests carry unless they have their own.
	extra http.Header
	// dryName and dryValue are the field that asks for a dry run. They are empty only
	// where legacy may store.
	dryName, dryValue string
	largest           int64
}

// dryTries is how often a dry run is tried that gives no whole answer. What may be
// stored is tried once.
const dryTries = 3

func (v *Validation) openLegacy() error {
	c := v.config.Legacy
	l := &legacy{base: strings.TrimRight(c.URL, "/"), extra: http.Header{}, largest: int64(v.config.Shadow.Largest)}
	if v.mode == modeDry {
		if l.dryName, l.dryValue = c.DryRun.Field(); l.dryName == "" {
			return ErrNoDryRun
		}
	}
	dialer := &net.Dialer{Timeout: c.DialTimeout.Std()}
	l.client = &http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, MaxIdleConnsPerHost: v.options.Parallel, IdleConnTimeout: c.IdleTimeout.Std(),
			ResponseHeaderTimeout: c.AnswerTimeout.Std(), DisableCompression: true,
			// Whether a request on a kept connection got through cannot be told if it fails.
			DisableKeepAlives: v.mode == modeWrites,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	v.legacy = l
	v.closers = append(v.closers, func() error { l.client.CloseIdleConnections(); return nil })
	return l.readExtra(v.options.HeadersFile)
}

// readExtra reads a file of fields, one "Name: value" a line.
func (l *legacy) readExtra(name string) error {
	if name == "" {
		return nil
	}
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	scanner := bufio.NewScanner(file)
	for number := 1; scanner.Scan(); number++ {
		field, value, found := strings.Cut(scanner.Text(), ":")
		switch {
		case strings.TrimSpace(scanner.Text()) == "":
		case !found || strings.TrimSpace(field) != field || field == "":
			return fmt.Errorf("%s: line %d is not a field such as \"Authorization: Bearer secret\"", name, number)
		default:
			l.extra.Add(field, strings.TrimSpace(value))
		}
	}
	return scanner.Err()
}

// Call sends the request, as a dry run unless legacy may store.
func (l *legacy) Call(ctx context.Context, request *validation.Request) (rollout.Answer, error) {
	tries := 1
	if l.dryName != "" {
		tries = dryTries
	}
	for {
		answer, err := l.once(ctx, request, l.dryName, l.dryValue)
		if tries--; tries == 0 || !errors.Is(err, validation.ErrNone) {
			return answer, err
		}
		time.Sleep(time.Second)
	}
}

// once sends the request one time, with one field more if its name is not empty.
func (l *legacy) once(ctx context.Context, request *validation.Request, field, value string) (rollout.Answer, error) {
	r, err := request.HTTP(ctx, l.base)
	if err != nil {
		return rollout.Answer{}, fmt.Errorf("%w: %w", validation.ErrNone, err)
	}
	for name, values := range l.extra {
		if len(r.Header.Values(name)) == 0 {
			r.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
	if field != "" {
		r.Header.Set(field, value)
	}
	r.GetBody = nil // a request that may store is not repeated by the client either
	response, err := l.client.Do(r)
	var dialling *net.OpError
	switch {
	case errors.As(err, &dialling) && dialling.Op == "dial":
		return rollout.Answer{}, fmt.Errorf("%w: %w", validation.ErrAway, err)
	case err != nil:
		return rollout.Answer{}, fmt.Errorf("%w: %w", validation.ErrNone, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, l.largest+1))
	switch {
	case err != nil:
		return rollout.Answer{}, fmt.Errorf("%w: %w", validation.ErrNone, err)
	case int64(len(body)) > l.largest:
		return rollout.Answer{}, validation.ErrTooLarge
	}
	return rollout.Answer{Status: response.StatusCode, Header: response.Header, Body: body}, nil
}
