package house

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
)

// vague are the names that say nothing of what is inside, and so collect
// everything.
func vague() []string {
	return []string{"utils", "util", "helpers", "helper", "common", "types", "manager", "service"}
}

// names complains of packages, directories and files with a vague name. A file's
// name is looked at word by word: store_types_test.go is no better.
func names(files []source) (complaints []string) {
	for _, file := range files {
		complain := func(what, name string) {
			if slices.Contains(vague(), name) {
				complaints = append(complaints, fmt.Sprintf("%s: the %s is called %s", file.path, what, name))
			}
		}
		for word := range strings.SplitSeq(strings.TrimSuffix(path.Base(file.path), ".go"), "_") {
			complain("file", word)
		}
		for element := range strings.SplitSeq(file.dir(), "/") {
			complain("directory", element)
		}
		name := strings.TrimSuffix(file.syntax.Name.Name, "_test")
		if name != path.Base(file.dir()) { // or the directory has been complained of
			complain("package", name)
		}
	}
	return complaints
}

func TestNamesComplains(t *testing.T) {
	files := sources(t, example(map[string]string{
		"a/serviceable.go":     "package a",
		"a/util_test.go":       "package a",
		"a/common_linux.go":    "package a",
		"a/store_types.go":     "package a",
		"helpers/a.go":         "package helpers",
		"a/manager/b/c.go":     "package b",
		"b/b.go":               "package service",
		"b/b_test.go":          "package service_test",
		"temporaltest/tail.go": "package temporaltest",
		// What npm installed is not ours.
		"docs/node_modules/utils/a.go": "package utils",
	}))
	only(t, names(files), "a/util_test.go", "a/common_linux.go", "a/store_types.go: the file is called types",
		"helpers/a.go: the directory", "a/manager/b/c.go", "b/b.go: the package is called service", "b/b_test.go")
}
