// Package ingest is an example of ingestion workflows for Sluice, in Go. It leans on
// nothing of Sluice: what workers have to know of it stands in docs/workflows.md, and here.
package ingest

import "encoding/json"

// Input is the only argument of an ingestion workflow.
type Input struct {
	DocID           string              `json:"doc_id"`
	Intent          string              `json:"intent"`
	Life            uint64              `json:"life"`
	Route           string              `json:"route"`
	Tenant          string              `json:"tenant,omitempty"`
	Method          string              `json:"method"`
	Path            string              `json:"path"`
	Query           string              `json:"query,omitempty"`
	PathParts       map[string]string   `json:"path_parts,omitempty"`
	ContentType     string              `json:"content_type"`
	ContentEncoding string              `json:"content_encoding,omitempty"`
	Headers         map[string][]string `json:"headers,omitempty"`
	Body            json.RawMessage     `json:"body"`
	BodyEncoding    string              `json:"body_encoding,omitempty"`
	Delayed         bool                `json:"delayed,omitempty"`
	Shadow          bool                `json:"shadow"`
}

// Answer is a result that is an HTTP answer; any other JSON is the body of one.
type Answer struct {
	Status       int                 `json:"status"`
	Headers      map[string][]string `json:"headers,omitempty"`
	Body         any                 `json:"body,omitempty"`
	BodyEncoding string              `json:"body_encoding,omitempty"`
}

// Support is what the workers of a task queue can.
type Support struct {
	Types      []string `json:"types"`
	Updates    []string `json:"updates,omitempty"`
	ClaimCheck []string `json:"claim_check,omitempty"`
	BuildID    string   `json:"build_id,omitempty"`
}
