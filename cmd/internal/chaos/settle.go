package chaos

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// calm ends the faults. Everybody is up by then.
func (s *stage) calm() {
	s.mark("calm", "")
	s.links.calm()
	s.legacy.Calm()
	s.worker.Calm()
	s.temporal.Thaw()
	for _, g := range s.gateways {
		g.Thaw()
	}
}

const (
	// settleLimit bounds the time in which nothing settles, and longestSettle all of
	// it: a document that was posted hundreds of times has a long queue.
	settleLimit   = 2 * time.Minute
	longestSettle = 20 * time.Minute
	// adoption is how long that must stay so where gateways died: what one left is
	// taken over when its lease and legacy's time limit have passed.
	adoption = lease + answerTimeout + 3*time.Second
)

// settle waits until no workflow and no claim is open, for as long as quiet. It
// fails if something stays.
func (s *stage) settle(ctx context.Context, quiet time.Duration) error {
	var since time.Time
	last, begun := "", time.Now()
	for deadline := begun.Add(settleLimit); ; {
		open, err := s.unsettled(ctx)
		now := time.Now()
		if err == nil && open != last {
			last, deadline = open, now.Add(settleLimit)
		}
		switch {
		case err != nil || open != "":
			since = time.Time{}
		case since.IsZero():
			since = now
		case now.Sub(since) > quiet:
			return nil
		}
		if now.After(deadline) || now.Sub(begun) > longestSettle {
			return fmt.Errorf("it has not settled after %s: open is %q, the last look failed with %v", now.Sub(begun).Round(time.Second), open, err)
		}
		if !pause(ctx, 250*time.Millisecond) {
			return ctx.Err()
		}
	}
}

// unsettled says what is open; empty for nothing.
func (s *stage) unsettled(ctx context.Context) (string, error) {
	running, err := s.worker.Running(ctx)
	if err != nil {
		return "", err
	}
	if running > 0 {
		return fmt.Sprint(running, " workflows are running"), nil
	}
	for i, url := range s.operators {
		n, err := gauge(ctx, url+"/metrics", "rollout_claims_unresolved")
		if err != nil {
			return "", err
		}
		if n > 0 {
			return fmt.Sprintf("gateway %d has %v claims that are unresolved", i, n), nil
		}
	}
	return "", nil
}

// gauge reads one metric without labels.
func gauge(ctx context.Context, url, name string) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, found := strings.CutPrefix(line, name+" "); found {
			return strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}
	return 0, fmt.Errorf("%s has no %s", url, name)
}
