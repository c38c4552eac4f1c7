package invisible_test

import (
	"fmt"
	"maps"
	"slices"
)

// compare returns what differs between the accounts.
func compare(direct, through account) []string {
	return append(compareNotes("the client", direct.client, through.client), compareNotes("legacy", direct.legacy, through.legacy)...)
}

func compareNotes(who string, direct, through []note) (complaints []string) {
	if len(direct) != len(through) {
		return []string{fmt.Sprintf("%s noticed, directly:%s\nthrough the gateway:%s", who, list(direct), list(through))}
	}
	for i := range direct {
		d, g := direct[i], through[i]
		if d.what != g.what {
			complaints = append(complaints, fmt.Sprintf("%s noticed, directly:%s\nthrough the gateway:%s", who, list(direct), list(through)))
			break
		}
		for _, difference := range compareMessages(d.message, g.message) {
			complaints = append(complaints, fmt.Sprintf("%s, %d of %d, %s: %s", who, i+1, len(direct), d.what, difference))
		}
	}
	return complaints
}

func compareMessages(d, g message) (differences []string) {
	differ := func(what, direct, through string) {
		if direct != through {
			differences = append(differences, fmt.Sprintf("%s: directly %s, through the gateway %s", what, quoted(direct), quoted(through)))
		}
	}
	if d.start != g.start {
		return []string{fmt.Sprintf("directly %q with %s, through the gateway %q with %s", d.start, quoted(d.body), g.start, quoted(g.body))}
	}
	differ("framing", d.framing, g.framing)
	differ("body", d.body, g.body)
	differences = append(differences, compareFields("field", d.fields, g.fields)...)
	return append(differences, compareFields("trailer", d.trailer, g.trailer)...)
}

// compareFields compares the lines of each name, in their order.
func compareFields(what string, d, g []field) (differences []string) {
	names := map[string]bool{}
	for _, f := range slices.Concat(d, g) {
		names[f.name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		direct, through := valuesOf(d, name), valuesOf(g, name)
		if !slices.Equal(direct, through) {
			differences = append(differences, fmt.Sprintf("%s %s: directly %q, through the gateway %q", what, name, short(direct), short(through)))
		}
	}
	return differences
}

func short(values []string) (out []string) {
	for _, v := range values {
		out = append(out, v[:min(len(v), 200)])
	}
	return out
}

// list writes notes one a line.
func list(notes []note) (text string) {
	for _, n := range notes {
		text += "\n\t" + n.what
		if n.message.start != "" {
			text += " " + quoted(n.message.start) + " " + n.message.framing + " " + quoted(n.message.body)
		}
	}
	if text == "" {
		return " nothing"
	}
	return text
}
