package ingestion

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// GraphData is what the graph store keeps: the nodes that the document is
// joined to.
type GraphData struct {
	// Entities are the names in the text, sorted.
	Entities []string `json:"entities"`
	// Links are the document's links, sorted.
	Links []string `json:"links"`
}

func graphOf(doc document) GraphData {
	return GraphData{Entities: distinct(names(doc.text)), Links: distinct(doc.links)}
}

// names returns the words of two letters or more that begin with a capital.
func names(text string) []string {
	var found []string
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		first, size := utf8.DecodeRuneInString(word)
		if unicode.IsUpper(first) && len(word) > size {
			found = append(found, word)
		}
	}
	return found
}

// distinct returns the words sorted, each once, never nil.
func distinct(words []string) []string {
	sorted := append([]string{}, words...)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}
