package configs

import (
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing wrong with a configuration.
type Problem struct {
	// Line is where, from 1; 0 if the key is not in the file.
	Line int
	// Key is the path of the key, such as routes[0].auth; may be empty.
	Key string
	// Text says what is wrong and what would be right.
	Text string
}

// Problems is the error of a configuration: all that is wrong with it.
type Problems struct {
	// File is the file's name.
	File string
	List []Problem
}

// Error lists the problems, one a line.
func (p *Problems) Error() string {
	lines := make([]string, 0, len(p.List)+1)
	noun := "problems"
	if len(p.List) == 1 {
		noun = "problem"
	}
	lines = append(lines, fmt.Sprintf("%s has %d %s:", p.File, len(p.List), noun))
	for _, one := range p.List {
		where := ""
		if one.Line > 0 {
			where = fmt.Sprintf("line %d: ", one.Line)
		}
		if one.Key != "" {
			where += one.Key + ": "
		}
		lines = append(lines, "  "+where+one.Text)
	}
	return strings.Join(lines, "\n")
}

// add notes a problem of a key, unless the key has one already.
func (p *Problems) add(line int, key, format string, args ...any) {
	if key != "" && slices.ContainsFunc(p.List, func(other Problem) bool { return other.Key == key }) {
		return
	}
	p.List = append(p.List, Problem{Line: line, Key: key, Text: fmt.Sprintf(format, args...)})
}

// err returns the problems in the order of the file, or nil if there are none.
func (p *Problems) err() error {
	if len(p.List) == 0 {
		return nil
	}
	slices.SortStableFunc(p.List, func(a, b Problem) int { return a.Line - b.Line })
	return p
}
