package house

import (
	"bytes"
	"fmt"
	"go/ast"
	"strings"
	"testing"
)

// The ceilings, in lines. Tests may be longer.
const (
	maxFile     = 400
	maxFunction = 70
)

// sizes complains of files and functions over the ceilings. A function literal
// is a function too.
func sizes(files []source) (complaints []string) {
	for _, file := range files {
		if file.test() {
			continue
		}
		if lines := bytes.Count(file.text, []byte("\n")); lines > maxFile {
			complaints = append(complaints, fmt.Sprintf("%s has %d lines, %d are allowed", file.path, lines, maxFile))
		}
		ast.Inspect(file.syntax, func(node ast.Node) bool {
			switch node.(type) {
			case *ast.FuncDecl, *ast.FuncLit:
			default:
				return true
			}
			first, last := file.set.Position(node.Pos()).Line, file.set.Position(node.End()).Line
			lines := last - first + 1
			if lines > maxFunction {
				complaints = append(complaints, fmt.Sprintf("%s:%d: the function has %d lines, %d are allowed", file.path, first, lines, maxFunction))
			}
			return lines > maxFunction // what is inside a short one is shorter
		})
	}
	return complaints
}

func TestSizesComplains(t *testing.T) {
	// body returns a function's body that takes that many lines with its braces.
	body := func(lines int) string { return "{" + strings.Repeat("\n", lines-1) + "}" }
	file := func(lines int) string {
		return "package a\n" + strings.Repeat("// x\n", lines-1)
	}
	files := sources(t, example(map[string]string{
		"a/whole.go":         file(maxFile),
		"a/long.go":          file(maxFile + 1),
		"a/long_test.go":     file(maxFile + 1),
		"a/function.go":      "package a\nfunc fits() " + body(maxFunction) + "\nfunc over() " + body(maxFunction+1),
		"a/method.go":        "package a\n// comment\nfunc (t T) over() " + body(maxFunction+1),
		"a/literal.go":       "package a\nvar over = func() " + body(maxFunction+1),
		"a/function_test.go": "package a\nfunc over() " + body(maxFunction+1),
	}))
	only(t, sizes(files), "a/long.go has 401 lines", "a/function.go:72: the function has 71", "a/method.go:3", "a/literal.go:2")
}
