package main

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/go-json-experiment/json"

	"sluice/router/operator"
)

// claimsOutput prints claims, as a table for people or as JSON, one a line.
type claimsOutput struct {
	w     io.Writer
	table *tabwriter.Writer // nil for JSON
	count int
}

func newClaimsOutput(w io.Writer, json bool) *claimsOutput {
	out := &claimsOutput{w: w}
	if !json {
		out.table = tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	}
	return out
}

func (out *claimsOutput) write(claims []operator.Claim) error {
	for _, c := range claims {
		if out.count++; out.table == nil {
			if err := writeLine(out.w, c); err != nil {
				return err
			}
			continue
		}
		if out.count == 1 {
			fmt.Fprintln(out.table, "AGE\tROUTE\tPATH\tSTATE\tWHY\tLIFE\tATTEMPTS\tOWNER\tDOC_ID\tINTENT\tSTALLED BY")
		}
		age := time.Duration(c.Age * float64(time.Second)).Round(time.Second)
		fmt.Fprintf(out.table, "%v\t%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\t%s\t%s\n", age, printable(c.Route), c.Path, c.State,
			cmp.Or(c.Why, "-"), c.Life, c.Attempts, printable(c.Owner), printable(c.DocID), printable(string(c.Intent)), stalledBy(c.Stalled))
	}
	return nil
}

func stalledBy(text string) string {
	if text == "" {
		return "-"
	}
	return printable(text)
}

// end prints what is left, and tells people what the list does not.
func (out *claimsOutput) end(stderr io.Writer, state string, more bool) error {
	if more {
		fmt.Fprintln(stderr, "there are more: -limit 0 lists all")
	}
	if out.table == nil {
		return nil
	}
	if out.count == 0 {
		fmt.Fprintf(stderr, "there are no %s claims\n", state)
	}
	return out.table.Flush()
}

// printable keeps what a client chose from moving a terminal's cursor, or a
// table's columns.
func printable(text string) string {
	quoted := strconv.Quote(text)
	if quoted != `"`+text+`"` || strings.ContainsAny(text, " ") || text == "" {
		return quoted
	}
	return text
}

// writeLine writes one JSON object and a newline.
func writeLine(w io.Writer, object any) error {
	line, err := json.Marshal(object)
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}
