package house

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

// topLevel is all that the top level holds; true for a directory. Dot-files
// come on top.
func topLevel() map[string]bool {
	return map[string]bool{
		"cmd": true, "router": true, "rollout": true, "legacy": true, "temporalpath": true, "metrics": true, "configs": true, "docs": true,
		"Dockerfile": false, "go.mod": false, "go.sum": false, "Makefile": false,
		"README.md": false, "DESIGN.md": false, "CHANGELOG.md": false, "LICENSE": false,
	}
}

// ignored are the directories that building and running make; git ignores them.
func ignored() []string { return []string{"bin", "data"} }

// topLevelOf complains of what is missing at the top level and of what is there
// besides.
func topLevelOf(tree fs.FS) (complaints []string, err error) {
	entries, err := fs.ReadDir(tree, ".")
	if err != nil {
		return nil, err
	}
	missing := topLevel()
	for _, entry := range entries {
		name := entry.Name()
		directory, wanted := missing[name]
		switch {
		case wanted && directory != entry.IsDir():
			complaints = append(complaints, fmt.Sprintf("%s: a directory instead of a file, or a file instead of a directory", name))
		case wanted, strings.HasPrefix(name, "."), entry.IsDir() && slices.Contains(ignored(), name):
		default:
			complaints = append(complaints, fmt.Sprintf("%s has no place at the top level", name))
		}
		delete(missing, name)
	}
	for _, name := range slices.Sorted(maps.Keys(missing)) {
		complaints = append(complaints, name+" is missing at the top level")
	}
	return complaints, nil
}

// workspaces complains of go.work files: with one, a build here would differ
// from everybody else's.
func workspaces(tree fs.FS) (complaints []string, err error) {
	err = fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && (name == ".git" || entry.Name() == npmPackages) {
			return fs.SkipDir
		}
		if base := path.Base(name); base == "go.work" || base == "go.work.sum" {
			complaints = append(complaints, name+" is a workspace's")
		}
		return err
	})
	return complaints, err
}

func look(t *testing.T, rule func(fs.FS) ([]string, error), tree fs.FS) []string {
	t.Helper()
	complaints, err := rule(tree)
	if err != nil {
		t.Fatal(err)
	}
	return complaints
}

func TestTopLevel(t *testing.T) { none(t, look(t, topLevelOf, root(t))) }

func TestNoWorkspace(t *testing.T) { none(t, look(t, workspaces, root(t))) }

// complete is a top level without a flaw, and the change that spoils it.
func complete(spoil func(files map[string]string)) fs.FS {
	files := map[string]string{".gitignore": "", ".ci/test": "", "bin/sluice": "", "data/stores/documents.db": ""}
	for name, directory := range topLevel() {
		if directory {
			name += "/file"
		}
		files[name] = ""
	}
	spoil(files)
	return example(files)
}

func TestTopLevelComplains(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(files map[string]string)
		want  []string
	}{
		"complete":            {func(map[string]string) {}, nil},
		"a package more":      {func(f map[string]string) { f["pkg/a.go"] = "" }, []string{"pkg has no place"}},
		"a file more":         {func(f map[string]string) { f["notes.txt"] = "" }, []string{"notes.txt has no place"}},
		"a file called bin":   {func(f map[string]string) { delete(f, "bin/sluice"); f["bin"] = "" }, []string{"bin has no place"}},
		"nothing was built":   {func(f map[string]string) { delete(f, "bin/sluice") }, nil},
		"no licence":          {func(f map[string]string) { delete(f, "LICENSE") }, []string{"LICENSE is missing"}},
		"no router":           {func(f map[string]string) { delete(f, "router/file") }, []string{"router is missing"}},
		"a directory instead": {func(f map[string]string) { delete(f, "Makefile"); f["Makefile/a"] = "" }, []string{"Makefile: a directory"}},
	} {
		t.Run(name, func(t *testing.T) { only(t, look(t, topLevelOf, complete(test.spoil)), test.want...) })
	}
}

func TestWorkspacesComplains(t *testing.T) {
	tree := example(map[string]string{"go.work": "", "cmd/devstack/go.work.sum": "", "cmd/a.go": ""})
	only(t, look(t, workspaces, tree), "go.work is a workspace's", "cmd/devstack/go.work.sum")
}
