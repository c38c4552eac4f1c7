package endtoend_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"sluice/configs"
	"sluice/docs/workers/go/ingest"
	"sluice/temporalpath/wire"
)

const docs = "../../../docs"

// block is a fenced one of a page, and where its code comes from, as the comment above it
// says; empty if there is none.
type block struct{ file, region, language, text string }

func blocks(t *testing.T, page string) (all []block) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(docs, page))
	if err != nil {
		t.Fatal(err)
	}
	fenced := regexp.MustCompile("(?ms)(?:^<!-- (\\S+): (\\S+) -->\n)?^```(\\w*)\n(.*?)^```$")
	for _, m := range fenced.FindAllStringSubmatch(string(text), -1) {
		all = append(all, block{m[1], m[2], m[3], m[4]})
	}
	return all
}

// region returns what stands in a file between // doc:begin NAME and // doc:end NAME,
// without its indentation.
func region(text, name string) string {
	var lines []string
	inside, indentation := false, ""
	for line := range strings.Lines(text) {
		switch trimmed := strings.TrimSpace(line); {
		case trimmed == "// doc:begin "+name:
			inside, indentation = true, line[:len(line)-len(strings.TrimLeft(line, " \t"))]
		case trimmed == "// doc:end "+name:
			return strings.Trim(strings.Join(lines, ""), "\n") + "\n"
		case inside:
			lines = append(lines, strings.TrimPrefix(line, indentation))
		}
	}
	return ""
}

// The code on the page is the code that the tests run.
func TestWorkflowsPageShowsTheCode(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for _, b := range blocks(t, "workflows.md") {
		seen[b.language]++
		if b.language != "ts" && b.language != "go" {
			continue
		}
		source, err := os.ReadFile(filepath.Join(docs, b.file))
		if b.file == "" || err != nil {
			t.Errorf("this block comes from no file: %v\n%s", err, b.text)
			continue
		}
		if want := region(string(source), b.region); b.text != want {
			t.Errorf("the page differs from %s, %s. It should be:\n%s", b.file, b.region, want)
		}
	}
	if seen["ts"] < 5 || seen["go"] < 3 || seen["python"] < 3 || seen["json"] != 1 {
		t.Errorf("blocks by language: %v", seen)
	}
}

// The example of an input is one: every member stands in it, and no other, and in the
// table below it.
func TestWorkflowsPageShowsTheInput(t *testing.T) {
	t.Parallel()
	example := blockOf(t, "json")
	decoder := json.NewDecoder(strings.NewReader(example))
	decoder.DisallowUnknownFields()
	var in wire.Input
	if err := decoder.Decode(&in); err != nil {
		t.Fatal(err)
	}
	if raw, err := in.RawBody(); err != nil || !json.Valid(raw) {
		t.Errorf("the body is %q, %v", raw, err)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(example), &members); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(docs, "workflows.md"))
	if err != nil {
		t.Fatal(err)
	}
	typescript, err := os.ReadFile(filepath.Join(typescriptTree, "src", "contract.ts"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range reflect.TypeFor[wire.Input]().NumField() {
		name, _, _ := strings.Cut(reflect.TypeFor[wire.Input]().Field(i).Tag.Get("json"), ",")
		if _, there := members[name]; !there {
			t.Errorf("the example has no member %s", name)
		}
		if !regexp.MustCompile("(?m)^\\| (`\\w+`, )*`" + name + "`(, `\\w+`)* \\|").Match(page) {
			t.Errorf("the table of members has no %s", name)
		}
		if !regexp.MustCompile(`(?m)^  ` + name + `\??: `).Match(typescript) {
			t.Errorf("the TypeScript worker does not know %s", name)
		}
	}
}

// The example workers know the contract whole.
func TestGoExampleKnowsTheContract(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]reflect.Type{
		{reflect.TypeFor[ingest.Input](), reflect.TypeFor[wire.Input]()},
		{reflect.TypeFor[ingest.Answer](), reflect.TypeFor[wire.Answer]()},
	} {
		if got, want := jsonTags(pair[0]), jsonTags(pair[1]); !slices.Equal(got, want) {
			t.Errorf("%v has\n%v\nand %v\n%v", pair[0], got, pair[1], want)
		}
	}
}

func jsonTags(of reflect.Type) (tags []string) {
	for i := range of.NumField() {
		tags = append(tags, of.Field(i).Tag.Get("json"))
	}
	slices.Sort(tags)
	return tags
}

// The shortest route that the page shows is complete, and its omitted keys have the values
// that the table gives.
func TestWorkflowsPageShowsOmittedKeys(t *testing.T) {
	t.Parallel()
	route := blockOf(t, "yaml")
	var text strings.Builder
	text.WriteString("legacy: {url: \"http://127.0.0.1:9000\"}\nroutes:\n  -\n")
	for line := range strings.Lines(route) {
		text.WriteString("    " + line)
	}
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := configs.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	inEffect, err := yaml.Marshal(config.Routes[0])
	if err != nil {
		t.Fatal(err)
	}
	var keys map[string]any
	if err := yaml.Unmarshal(inEffect, &keys); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(docs, "workflows.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `([\\w.]+)` \\| `(.*?)` \\|").FindAllSubmatch(page, -1)
	if len(rows) < 10 {
		t.Fatalf("the table has %d rows", len(rows))
	}
	for _, row := range rows {
		var value any = keys
		for name := range strings.SplitSeq(string(row[1]), ".") {
			value = value.(map[string]any)[name]
		}
		written, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(bytes.Trim(written, `"`)); got != strings.Trim(string(row[2]), `"`) {
			t.Errorf("%s left out is %s, and the page says %s", row[1], got, row[2])
		}
	}
}

func blockOf(t *testing.T, language string) string {
	t.Helper()
	for _, b := range blocks(t, "workflows.md") {
		if b.language == language {
			return b.text
		}
	}
	t.Fatal(fmt.Sprintf("the page has no block in %s", language))
	return ""
}
