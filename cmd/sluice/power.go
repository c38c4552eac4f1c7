package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"

	"sluice/rollout/guard"
)

// gaugeWidth is that of the bar of a guardrail's evidence, in characters.
const gaugeWidth = 10

// printMeters prints how far each guardrail is and what it could notice.
func printMeters(w io.Writer, meters []guard.Meter) {
	if len(meters) == 0 {
		return
	}
	fmt.Fprintln(w)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "  GUARDRAIL\tACTION\tEVIDENCE\tNOTICED WITHIN AN HOUR\tMORE BAD DOCUMENTS\tIF IT IS 5 TIMES AS BAD")
	for _, m := range meters {
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\t%s\t%s\n", m.Guardrail, m.Action, gaugeOf(&m), noticedBy(&m), more(&m, m.Alone), more(&m, m.AtFive))
	}
	_ = table.Flush()
}

// gaugeOf draws the share of the way to the limit.
func gaugeOf(m *guard.Meter) string {
	if m.Breached != 0 {
		return "[" + strings.Repeat("#", gaugeWidth) + "] BREACHED"
	}
	share := min(1, max(0, m.Evidence))
	full := int(share * gaugeWidth)
	return fmt.Sprintf("[%s%s] %.0f %%", strings.Repeat("#", full), strings.Repeat(".", gaugeWidth-full), math.Floor(100*share))
}

// noticedBy says which harm would be noticed.
func noticedBy(m *guard.Meter) string {
	switch m.Guardrail {
	case guard.Conservation:
		return "one document"
	case guard.ErrorRatio, guard.ErrorExcess, guard.ValidityMore:
		if m.Noticed > 0 {
			return fmt.Sprintf("%.3g times legacy's", m.Noticed)
		}
	case guard.ValidityLess:
		if m.Noticed > 0 {
			return fmt.Sprintf("legacy's %.3g times Temporal's", m.Noticed)
		}
	default:
		if m.Noticed > 0 {
			return fmt.Sprintf("%.3g %% of documents", 100*m.Noticed)
		}
	}
	return "none"
}

// more prints how many more bad documents breach.
func more(m *guard.Meter, documents uint64) string {
	switch {
	case m.Breached != 0:
		return "-"
	case documents == 0:
		return "no number"
	}
	return strconv.FormatUint(documents, 10)
}

// legible keeps text from elsewhere from moving a terminal's cursor. Words stay as
// they are.
func legible(text string) string {
	var b strings.Builder
	for _, r := range text {
		if strconv.IsPrint(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}
