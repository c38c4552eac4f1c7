package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
)

// printDropped prints what was not compared, by reason.
func printDropped(w io.Writer, dropped map[string]uint64) {
	for _, reason := range slices.Sorted(maps.Keys(dropped)) {
		fmt.Fprintf(w, "dropped, %s: %d", printable(reason), dropped[reason])
		if words := dropWords(reason); words != "" {
			fmt.Fprintf(w, " (%s)", words)
		}
		fmt.Fprintln(w)
	}
}

// dropWords says what a reason means; empty for one that this program does not know.
func dropWords(reason string) string {
	switch reason {
	case "busy":
		return "the gateway had enough to do for its clients, or Temporal was away"
	case "queue":
		return "shadow.queue was full"
	case "bytes":
		return "shadow.budget was used up"
	case "too-large":
		return "larger than shadow.largest, or than Temporal takes"
	case "primary":
		return "legacy gave no whole answer"
	case "killed":
		return "mirroring was switched off meanwhile"
	case "unsupported":
		return "no worker declared shadow support"
	case "duplicate":
		return "a retry of what was mirrored before"
	case "temporal":
		return "Temporal did not take it, or not in time"
	case "store":
		return "it could not be put on record"
	case "restart":
		return "its gateway ended meanwhile"
	case "unknown":
		return "nobody knows whether Temporal ran it, or how it ended"
	case "client":
		return "legacy refused the client, which says nothing of the document"
	}
	return ""
}
