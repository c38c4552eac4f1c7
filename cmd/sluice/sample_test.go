package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"sluice/rollout/compare"
	"sluice/rollout/evidence"
)

// What answers hold is shown as it is, but for what would move the cursor.
func TestSampleIsShown(t *testing.T) {
	t.Parallel()
	one := evidence.Sample{
		Route: "documents", DocID: "doc-1", ID: "shadow/doc-1", At: time.Unix(1, 0).UTC(), Build: "b7", Class: compare.ClassMismatch, Total: 3,
		Differences: []compare.Difference{
			{Pointer: "/items/0", ShadowPointer: "/items/1", Kind: compare.KindPrimitive, Primary: `"a"`, Shadow: "\"\x1b[2J\""},
			{Pointer: "", Pattern: "status", Kind: compare.KindMissing, Primary: "200"},
		},
		Primary: evidence.Side{Status: 200, Took: 1234567, Body: json.RawMessage(`{"a":"b c"}`)},
		Shadow:  evidence.Side{Status: 502, Failure: "Boom: gone", Body: json.RawMessage(`"cut \u001b[2J…"`)},
	}
	var out strings.Builder
	printSamples(&out, []evidence.Sample{one, one}, 1)
	want := `
1 of the comparisons that differ
1970-01-01 00:00:01 UTC  documents  doc_id doc-1  mismatch  3 differences
  run shadow/doc-1, build b7
  /items/0 and /items/1  primitive: legacy "a", Temporal "\x1b[2J"
  status  missing: legacy 200, Temporal has none
  and 1 more
  legacy    200 in 1.23ms  {"a":"b c"}
  Temporal  502 in 0s  Boom: gone  cut \x1b[2J…
`
	if got := out.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	out.Reset()
	if printSamples(&out, []evidence.Sample{one}, 0); out.Len() != 0 {
		t.Errorf("none were wanted: %s", out.String())
	}
}
