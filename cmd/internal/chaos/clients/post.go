package clients

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"sluice/cmd/internal/chaos/ledger"
	"sluice/cmd/internal/chaos/wishes"
)

// post makes one attempt.
func (c *Clients) post(ctx context.Context, wish wishes.Wish, attempt, gateway int) ledger.Answer {
	answer := ledger.Answer{Attempt: attempt, Gateway: gateway, Sent: c.config.Ledger.Since(time.Now())}
	// GetBody stays unset: the transport would use it to send a request twice.
	body := io.NopCloser(bytes.NewReader(wish.Body))
	r, err := http.NewRequestWithContext(context.WithoutCancel(ctx), wish.Method, c.config.Gateways[gateway]+wish.Path(), body)
	if err != nil {
		answer.Problem = err.Error()
		return answer
	}
	r.ContentLength = int64(len(wish.Body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(wishes.AttemptField, wishes.Attempt(wish.Number, attempt))
	if wish.Key != "" {
		r.Header.Set("Idempotency-Key", wish.Key)
	}
	if wish.Async && attempt == 0 {
		r.Header.Set("Prefer", "respond-async")
	}
	response, err := c.http.Do(r)
	if err != nil {
		answer.Problem = err.Error()
		return answer
	}
	defer response.Body.Close()
	read(response, wish, &answer)
	return answer
}

// read takes down what an answer says.
func read(response *http.Response, wish wishes.Wish, answer *ledger.Answer) {
	text, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	answer.Path = response.Header.Get("Rollout-Path")
	if wish.Method == http.MethodDelete {
		answer.Path = "legacy" // the gateway says nothing of what it passes through
	}
	answer.Replayed = response.Header.Get("Rollout-Replayed") == "true"
	if err != nil {
		answer.Problem = "the answer broke off: " + err.Error()
		return // whatever its status was, the client does not know the answer
	}
	answer.Status = response.StatusCode
	if answer.Status >= 300 {
		var problem struct{ Type, Reason string }
		_ = json.Unmarshal(text, &problem) // an answer of legacy's own
		answer.Problem = problem.Type + " " + problem.Reason
		return
	}
	if answer.Status == http.StatusAccepted {
		return
	}
	var said wishes.Answer
	if err := json.Unmarshal(text, &said); err != nil {
		answer.Lie = fmt.Sprintf("%d whose body is no answer: %q", answer.Status, text)
		return
	}
	answer.Life = said.Life
	if said.Path != answer.Path || said.Wish != wish.Number {
		answer.Lie = fmt.Sprintf("Rollout-Path is %s, the body is of wish %d on %s", answer.Path, said.Wish, said.Path)
	}
}
