package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"sluice/rollout/compare"
	"sluice/rollout/evidence"
)

// printSamples prints the first comparisons that differ, at most so many.
func printSamples(w io.Writer, samples []evidence.Sample, most int) {
	if most = min(most, len(samples)); most == 0 {
		return
	}
	fmt.Fprintf(w, "\n%d of the comparisons that differ\n", most)
	for i := range samples[:most] {
		showSample(w, &samples[i])
	}
}

// showSample prints a comparison that differs: where, and both answers.
func showSample(w io.Writer, s *evidence.Sample) {
	fmt.Fprintf(w, "%s  %s  doc_id %s  %s  %s\n", s.At.Format("2006-01-02 15:04:05 MST"), printable(s.Route), printable(s.DocID), s.Class, differences(s.Total))
	fmt.Fprintf(w, "  run %s", printable(s.ID))
	if s.Build != "" {
		fmt.Fprintf(w, ", build %s", printable(s.Build))
	}
	fmt.Fprintln(w)
	for _, d := range s.Differences {
		fmt.Fprintf(w, "  %s  %s: legacy %s, Temporal %s\n", whereIs(d), d.Kind, sideOf(d.Primary), sideOf(d.Shadow))
	}
	if more := s.Total - uint64(len(s.Differences)); more > 0 && len(s.Differences) > 0 {
		fmt.Fprintf(w, "  and %d more\n", more)
	}
	printSide(w, "legacy  ", s.Primary)
	printSide(w, "Temporal", s.Shadow)
}

func differences(n uint64) string {
	switch n {
	case 0:
		return "their bodies are not compared"
	case 1:
		return "1 difference"
	}
	return fmt.Sprintf("%d differences", n)
}

// whereIs is where a difference is, in both documents.
func whereIs(d compare.Difference) string {
	switch {
	case d.Pointer == "" && d.Pattern != "":
		return printable(d.Pattern) // of the answer, such as its status
	case d.Pointer == "":
		return "the whole body"
	case d.ShadowPointer != "":
		return printable(d.Pointer) + " and " + printable(d.ShadowPointer)
	}
	return printable(d.Pointer)
}

// sideOf is what one document has there.
func sideOf(value string) string {
	if value == "" {
		return "has none"
	}
	return legible(value)
}

func printSide(w io.Writer, name string, s evidence.Side) {
	fmt.Fprintf(w, "  %s  %d in %v", name, s.Status, s.Took.Round(10*time.Microsecond))
	for _, text := range []string{s.Failure, bodyOf(s.Body)} {
		if text != "" {
			fmt.Fprintf(w, "  %s", legible(text))
		}
	}
	fmt.Fprintln(w)
}

// bodyOf is the body as it is shown: one that is no JSON, or was cut, without quotes.
func bodyOf(body json.RawMessage) string {
	var text string
	if json.Unmarshal(body, &text) == nil {
		return text
	}
	return string(body)
}
