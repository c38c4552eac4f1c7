package house

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
	"testing/fstest"
)

// source is one Go file, parsed.
type source struct {
	path   string // from the module root, with slashes
	text   []byte
	set    *token.FileSet
	syntax *ast.File
}

func (s source) dir() string  { return path.Dir(s.path) }
func (s source) test() bool   { return strings.HasSuffix(s.path, "_test.go") }
func (s source) nested() bool { return strings.HasPrefix(s.path, "cmd/devstack/") }

// imports returns the paths that the file imports.
func (s source) imports() []string {
	var paths []string
	for _, spec := range s.syntax.Imports {
		paths = append(paths, strings.Trim(spec.Path.Value, "`\""))
	}
	return paths
}

// root is the module's directory; a test runs in its package's.
func root(t *testing.T) fs.FS {
	t.Helper()
	tree := os.DirFS("../../..")
	text, err := fs.ReadFile(tree, "go.mod")
	if err != nil || !bytes.HasPrefix(text, []byte("module sluice\n")) {
		t.Fatalf("the module root is not three directories up: %v", err)
	}
	return tree
}

// npmPackages is the directory into which npm installs what the TypeScript worker needs;
// go.mod ignores it, and so does git.
const npmPackages = "node_modules"

// sources parses all Go files, those of the nested module too. Directories that
// the go command does not look at, and those that git ignores, are left out.
func sources(t *testing.T, tree fs.FS) []source {
	t.Helper()
	var files []source
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			hidden := name != "." && strings.HasPrefix(entry.Name(), ".")
			if hidden || entry.Name() == "testdata" || entry.Name() == npmPackages || name == "bin" || name == "data" {
				return fs.SkipDir
			}
			return nil
		}
		if path.Ext(name) != ".go" {
			return nil
		}
		file := source{path: name, set: token.NewFileSet()}
		if file.text, err = fs.ReadFile(tree, name); err != nil {
			return err
		}
		file.syntax, err = parser.ParseFile(file.set, name, file.text, parser.SkipObjectResolution)
		files = append(files, file)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// The rules that look at Go files, on those of this repository.
func TestHouse(t *testing.T) {
	files := sources(t, root(t))
	if len(files) < 100 { // a rule that looks at nothing finds nothing
		t.Fatalf("only %d Go files were found", len(files))
	}
	t.Run("imports form a star", func(t *testing.T) { none(t, star(files, strangers())) })
	t.Run("nobody imports the Temporal server", func(t *testing.T) { none(t, serverless(files)) })
	t.Run("files and functions are short", func(t *testing.T) { none(t, sizes(files)) })
	t.Run("names say what is inside", func(t *testing.T) { none(t, names(files)) })
}

// example is a tree in memory: the files' texts by their paths.
func example(files map[string]string) fs.FS {
	tree := fstest.MapFS{}
	for name, text := range files {
		tree[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return tree
}

// none reports each complaint as a failure.
func none(t *testing.T, complaints []string) {
	t.Helper()
	for _, complaint := range complaints {
		t.Error(complaint)
	}
}

// only checks that there is one complaint for each of want, which it contains.
func only(t *testing.T, complaints []string, want ...string) {
	t.Helper()
	if len(complaints) != len(want) {
		t.Fatalf("got %d complaints, want %d:\n%s", len(complaints), len(want), strings.Join(complaints, "\n"))
	}
	text := strings.Join(complaints, "\n")
	for _, part := range want {
		if !strings.Contains(text, part) {
			t.Errorf("no complaint says %q:\n%s", part, text)
		}
	}
}
