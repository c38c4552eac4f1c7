package configs_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The image cannot be built by the tests; what its build leans on can be
// looked at.
func TestDockerfile(t *testing.T) {
	t.Parallel()
	dockerfile := readText(t, "../Dockerfile")
	if !regexp.MustCompile(`(?m)^USER [1-9]\d*:[1-9]\d*$`).MatchString(dockerfile) {
		t.Error("the user is not a number other than 0")
	}
	if !strings.Contains(dockerfile, "CGO_ENABLED=0") || !strings.Contains(dockerfile, "./cmd/sluice") {
		t.Error("it does not build ./cmd/sluice without cgo")
	}
	goVersion := regexp.MustCompile(`(?m)^go (\S+)$`).FindStringSubmatch(readText(t, "../go.mod"))[1]
	if !strings.Contains(dockerfile, "FROM golang:"+goVersion+"-") {
		t.Errorf("it does not build with Go %s, as go.mod says", goVersion)
	}
	stamp := regexp.MustCompile(`-X sluice/(\S+)\.(\w+)=`).FindStringSubmatch(dockerfile)
	if stamp == nil {
		t.Fatal("it does not stamp the version")
	}
	if !strings.Contains(readText(t, "../"+stamp[1]+"/build.go"), "var "+stamp[2]+" ") {
		t.Errorf("there is no variable %s in %s to stamp the version into", stamp[2], stamp[1])
	}
}

// A package that the build context lacks breaks nothing but the image's build.
func TestDockerignoreKeepsThePackages(t *testing.T) {
	t.Parallel()
	kept := readText(t, "../.dockerignore")
	for _, dir := range []string{"cmd", "configs", "legacy", "metrics", "rollout", "router", "temporalpath"} {
		if _, err := os.Stat("../" + dir); err != nil || !strings.Contains(kept, "\n!"+dir+"\n") {
			t.Errorf(".dockerignore leaves out %s, or it is gone: %v", dir, err)
		}
	}
}

func readText(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
