package promtest

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"
)

// Sample is one element of an instant vector.
type Sample struct {
	Labels map[string]string
	Value  float64
}

// Finite reports whether the value is neither NaN nor infinite.
func (s Sample) Finite() bool { return !math.IsNaN(s.Value) && !math.IsInf(s.Value, 0) }

// Query evaluates the expression now. It fails if Prometheus cannot be asked,
// refuses the expression, or answers with anything but a vector of numbers.
func (s *Server) Query(ctx context.Context, expr string) ([]Sample, error) {
	target := s.URL + "/api/v1/query?" + url.Values{"query": {expr}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	var answer struct {
		Error string `json:"error"`
		Data  struct {
			Type   string          `json:"resultType"`
			Result json.RawMessage `json:"result"`
		} `json:"data"`
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("query %s: %s: %w", expr, res.Status, err)
	}
	if answer.Error != "" {
		return nil, fmt.Errorf("query %s: %s", expr, answer.Error)
	}
	if answer.Data.Type != "vector" {
		return nil, fmt.Errorf("query %s: the result is a %s, not a vector", expr, answer.Data.Type)
	}
	return parse(answer.Data.Result)
}

func parse(result []byte) ([]Sample, error) {
	var elements []struct {
		Metric map[string]string `json:"metric"`
		Value  [2]any            `json:"value"` // time, number as text
	}
	if err := json.Unmarshal(result, &elements); err != nil {
		return nil, err
	}
	samples := make([]Sample, 0, len(elements))
	for _, e := range elements {
		text, _ := e.Value[1].(string)
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("%v has no number but %v", e.Metric, e.Value)
		}
		samples = append(samples, Sample{Labels: e.Metric, Value: value})
	}
	return samples, nil
}

// Await asks until the expression gives at least one finite sample, and returns
// all of that answer. It fails the test, without ending it, if an answer is an
// error or if there is none within the limit; then it returns nil.
func (s *Server) Await(t testing.TB, expr string, within time.Duration) []Sample {
	t.Helper()
	for deadline := time.Now().Add(within); ; time.Sleep(again) {
		samples, err := s.Query(t.Context(), expr)
		if err != nil {
			t.Error(err)
			return nil
		}
		for _, sample := range samples {
			if sample.Finite() {
				return samples
			}
		}
		if time.Now().After(deadline) {
			t.Errorf("no finite sample within %s for %s\nlast answer: %v", within, expr, samples)
			return nil
		}
	}
}
