package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
)

// reply is an answer, read whole.
type reply struct {
	status int
	header http.Header
	body   string
}

// try sends one request on a connection of its own: after a kill there is no
// old one to trip over.
func try(method, url, body string, fields ...string) (reply, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	request.Close = true
	for i := 0; i+1 < len(fields); i += 2 {
		request.Header.Set(fields[i], fields[i+1])
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return reply{answer.StatusCode, answer.Header, string(text)}, err
}

// ask sends one request and checks the status of its answer.
func ask(t *testing.T, want int, method, url, body string, fields ...string) reply {
	t.Helper()
	r, err := try(method, url, body, fields...)
	if err != nil {
		t.Fatal(err)
	}
	if r.status != want {
		t.Fatalf("%s %s: %d %s, want %d", method, url, r.status, r.body, want)
	}
	return r
}

// served waits until the URL answers 2xx.
func served(t *testing.T, url string) {
	t.Helper()
	eventually(t, url+" answers 2xx", func() bool {
		r, err := try("GET", url, "")
		return err == nil && r.status/100 == 2
	})
}

// object reads a JSON object.
func object(t *testing.T, text string) map[string]any {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal([]byte(text), &members); err != nil {
		t.Fatalf("%v: %q", err, text)
	}
	return members
}

// flagFile is a copy of configs/flags.json that a test may edit.
func flagFile(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(shipped(t, "flags.json"))
	if err != nil {
		t.Fatal(err)
	}
	return write(t, "flags.json", string(text))
}

// turn sets the variant of the rollout's percentage, as an editor would: the
// file is replaced.
func turn(t *testing.T, file, variant string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	flags := object(t, string(text))
	flags["flags"].(map[string]any)["temporal-rollout-percentage"].(map[string]any)["defaultVariant"] = variant
	edited, err := json.Marshal(flags)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file+".new", edited, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}
