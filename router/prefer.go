package router

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// preference is what a Prefer field (RFC 7240) asks of the wait for a result.
type preference struct {
	// wait is how long to wait; it holds the configured time if not asked for.
	wait time.Duration
	// applied is the Preference-Applied field to answer with; may be empty.
	applied string
}

// prefer reads the preferences respond-async and wait=N, in seconds. Of each
// the first counts; what cannot be read is ignored, as the RFC demands.
func prefer(h http.Header, usual, longest time.Duration) preference {
	p := preference{wait: usual}
	var applied []string
	var async, waits bool
	for _, value := range h["Prefer"] {
		for part := range strings.SplitSeq(value, ",") {
			part, _, _ = strings.Cut(part, ";")
			name, argument, _ := strings.Cut(part, "=")
			argument = strings.Trim(strings.TrimSpace(argument), `"`)
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "respond-async":
				if !async {
					async = true
					applied = append(applied, "respond-async")
				}
			case "wait":
				n, err := strconv.ParseUint(argument, 10, 31)
				if err != nil || waits {
					continue
				}
				waits = true
				p.wait = min(time.Duration(n)*time.Second, longest)
				applied = append(applied, "wait="+seconds(p.wait))
			}
		}
	}
	if async && !waits {
		p.wait = 0
	}
	p.applied = strings.Join(applied, ", ")
	return p
}
