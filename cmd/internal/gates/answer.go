package gates

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"sluice/configs"
	"sluice/rollout/compare/certificate"
)

// answer asks the gate.
func answer(ctx context.Context, gate configs.Gate) Result {
	ctx, cancel := context.WithTimeout(ctx, gate.Timeout.Std())
	defer cancel()
	result := Result{Name: gate.Name, At: time.Now().UTC()}
	var output string
	switch {
	case len(gate.Command) > 0:
		result.Answer, result.Words, output = byCommand(ctx, gate.Command)
	case gate.Webhook != "":
		result.Answer, result.Words, output = byWebhook(ctx, gate)
	default:
		result.Answer, result.Words, output = byPrometheus(ctx, gate.Prometheus)
	}
	if ctx.Err() != nil {
		result.Answer, result.Words = certificate.Unknown, "it did not answer within "+gate.Timeout.Std().String()
	}
	result.Took = time.Since(result.At)
	result.Output = tail(output)
	return result
}

// tail returns the end of a text, from a whole character on.
func tail(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= MaxOutput {
		return text
	}
	start := len(text) - MaxOutput
	for !utf8.RuneStart(text[start]) {
		start++
	}
	return "…" + text[start:]
}

// killPatience is how long a command's children may hold its output open after it
// was killed.
const killPatience = time.Second

func byCommand(ctx context.Context, command []string) (certificate.Answer, string, string) {
	run := exec.CommandContext(ctx, command[0], command[1:]...)
	run.WaitDelay = killPatience
	output, err := run.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return certificate.Yes, "exit 0", string(output)
	case errors.As(err, &exit) && exit.Exited():
		return certificate.No, fmt.Sprintf("exit %d", exit.ExitCode()), string(output)
	}
	return certificate.Unknown, err.Error(), string(output) // it never ran, or was killed
}

func byWebhook(ctx context.Context, gate configs.Gate) (certificate.Answer, string, string) {
	body, err := json.Marshal(map[string]string{"gate": gate.Name})
	if err != nil {
		return certificate.Unknown, err.Error(), ""
	}
	status, text, err := fetch(ctx, http.MethodPost, gate.Webhook, body)
	switch {
	case err != nil:
		return certificate.Unknown, err.Error(), ""
	case status/100 == 2:
		return certificate.Yes, "status " + strconv.Itoa(status), text
	case status/100 == 4:
		return certificate.No, "status " + strconv.Itoa(status), text
	}
	return certificate.Unknown, "status " + strconv.Itoa(status), text
}

// byPrometheus asks for an instant vector: yes if there is a sample and none is 0.
func byPrometheus(ctx context.Context, query configs.PrometheusQuery) (certificate.Answer, string, string) {
	at := strings.TrimSuffix(query.URL, "/") + "/api/v1/query?" + url.Values{"query": {query.Query}}.Encode()
	status, text, err := fetch(ctx, http.MethodGet, at, nil)
	if err != nil {
		return certificate.Unknown, err.Error(), ""
	}
	var said struct {
		Status, Error string
		Data          struct {
			ResultType string
			Result     json.RawMessage
		}
	}
	if err := json.Unmarshal([]byte(text), &said); err != nil || said.Status != "success" {
		return certificate.Unknown, fmt.Sprintf("status %d: %s", status, said.Error), text
	}
	values, err := samples(said.Data.ResultType, said.Data.Result)
	if err != nil {
		return certificate.Unknown, err.Error(), text
	}
	for _, value := range values {
		if number, err := strconv.ParseFloat(value, 64); err != nil || number == 0 || number != number {
			return certificate.No, "a sample is " + value, text
		}
	}
	if len(values) == 0 {
		return certificate.Unknown, "the query has no result", text
	}
	return certificate.Yes, fmt.Sprintf("%d samples, none 0", len(values)), text
}

// samples returns the values of a query's result.
func samples(kind string, result json.RawMessage) (values []string, err error) {
	sample := func(pair [2]any) { values = append(values, fmt.Sprint(pair[1])) }
	switch kind {
	case "scalar":
		var pair [2]any
		if err := json.Unmarshal(result, &pair); err != nil {
			return nil, err
		}
		sample(pair)
	case "vector":
		var vector []struct{ Value [2]any }
		if err := json.Unmarshal(result, &vector); err != nil {
			return nil, err
		}
		for _, one := range vector {
			sample(one.Value)
		}
	default:
		return nil, fmt.Errorf("the query's result is a %s, and must be a vector or a scalar", kind)
	}
	return values, nil
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 1 << 20

func fetch(ctx context.Context, method, at string, body []byte) (status int, text string, err error) {
	request, err := http.NewRequestWithContext(ctx, method, at, bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	read, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	return response.StatusCode, string(read), err
}
