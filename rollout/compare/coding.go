package compare

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"sluice/rollout"
	"sluice/rollout/coding"
)

// Plain returns the answer with its Content-Encoding undone: gzip, deflate, br and zstd.
// It says why if it cannot be: WhyEncoded, WhyBroken, or WhyTooLong beyond Limits.Decoded.
func (c *Comparer) Plain(answer rollout.Answer) (rollout.Answer, Why) {
	names := coding.Names(answer.Header["Content-Encoding"])
	if len(names) == 0 || len(answer.Body) == 0 {
		return answer, WhyNone
	}
	if len(names) > coding.Most {
		return answer, WhyEncoded
	}
	body := answer.Body
	for i := len(names) - 1; i >= 0; i-- { // the last one applied is undone first
		var why Why
		if body, why = undone(names[i], body, c.limits.Decoded); why != WhyNone {
			return answer, why
		}
	}
	answer.Body = body
	return answer, WhyNone
}

func undone(name string, body []byte, most int) ([]byte, Why) {
	decoder, err := coding.NewReader(name, bufio.NewReader(bytes.NewReader(body)))
	switch {
	case errors.Is(err, coding.ErrUnknown):
		return nil, WhyEncoded
	case err != nil:
		return nil, WhyBroken
	}
	defer decoder.Close()
	text, err := io.ReadAll(io.LimitReader(decoder, int64(most)+1))
	switch {
	case len(text) > most:
		return nil, WhyTooLong
	case err != nil:
		return nil, WhyBroken
	}
	return text, WhyNone
}
