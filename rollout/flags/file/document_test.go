package file_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/open-feature/go-sdk/openfeature"

	"sluice/rollout/flags/file"
)

// flagd is the format's own example, on fixed lines.
const flagd = `{"$schema": "https://flagd.dev/schema/v0/flags.json", "flags": {
 "share": {"state": "ENABLED", "defaultVariant": "p10",
   "variants": {"off": 0, "canary": 0.1, "p1": 1, "p10": 10, "half": 12.5, "text": "10", "huge": 1e999, "nothing": null}},
 "stop": {"state": "ENABLED", "defaultVariant": "no", "variants": {"no": false, "yes": true}}}}
`

// open starts a provider of a file with the content; only in a bubble.
func open(t *testing.T, path, content string) *file.Provider {
	t.Helper()
	write(t, path, content)
	return follow(t, path)
}

func follow(t testing.TB, path string) *file.Provider {
	t.Helper()
	p, err := file.New(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Init(openfeature.EvaluationContext{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Shutdown)
	return p
}

func write(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func share(p *file.Provider) openfeature.FloatResolutionDetail {
	return p.FloatEvaluation(context.Background(), "share", -1, nil)
}

func stopped(p *file.Provider) openfeature.BoolResolutionDetail {
	return p.BooleanEvaluation(context.Background(), "stop", true, nil)
}

func TestVariantsAreTheMenu(t *testing.T) {
	for variant, want := range map[string]float64{"off": 0, "canary": 0.1, "p10": 10, "half": 12.5} {
		path := filepath.Join(t.TempDir(), "flags.json")
		synctest.Test(t, func(t *testing.T) {
			p := open(t, path, strings.Replace(flagd, `"defaultVariant": "p10"`, `"defaultVariant": "`+variant+`"`, 1))
			got := share(p)
			if got.Value != want || got.Error() != nil || got.Variant != variant || got.Reason != openfeature.StaticReason {
				t.Errorf("%s: %+v, want %v", variant, got, want)
			}
			if got := stopped(p); got.Value || got.Error() != nil {
				t.Errorf("stop: %+v", got)
			}
		})
	}
}

func TestBadDefinitionSpoilsOnlyItsFlag(t *testing.T) {
	const head, tail = `{"flags": {` + "\n\n" + `"share": `, `, "stop": {"state": "ENABLED", "defaultVariant": "no", "variants": {"no": false}}}}`
	const variants = `"variants": {"off": 0, "p10": 10}`
	cases := map[string]struct {
		definition string
		code       openfeature.ErrorCode
		text       string
	}{
		"typo in defaultVariant": {`{"state": "ENABLED", "defaultVariant": "p11", ` + variants + `}`, openfeature.ParseErrorCode, `defaultVariant "p11" is none of its variants (off, p10)`},
		"no defaultVariant":      {`{"state": "ENABLED", ` + variants + `}`, openfeature.ParseErrorCode, "(off, p10), it is missing"},
		"null defaultVariant":    {`{"state": "ENABLED", "defaultVariant": null, ` + variants + `}`, openfeature.ParseErrorCode, "it is null"},
		"number for a name":      {`{"state": "ENABLED", "defaultVariant": 10, ` + variants + `}`, openfeature.ParseErrorCode, "it is the number 10"},
		"typo in a member":       {`{"state": "ENABLED", "defaultVarient": "p10", ` + variants + `}`, openfeature.ParseErrorCode, `unknown member "defaultVarient"`},
		"letter case":            {`{"state": "ENABLED", "DefaultVariant": "p10", ` + variants + `}`, openfeature.ParseErrorCode, `unknown member "DefaultVariant"`},
		"no state":               {`{"defaultVariant": "p10", ` + variants + `}`, openfeature.ParseErrorCode, "state must be"},
		"state in small letters": {`{"state": "enabled", "defaultVariant": "p10", ` + variants + `}`, openfeature.ParseErrorCode, `it is the string "enabled"`},
		"targeting":              {`{"state": "ENABLED", "defaultVariant": "p10", ` + variants + `, "targeting": {"if": [true, "p10"]}}`, openfeature.ParseErrorCode, "targeting"},
		"targeting list":         {`{"state": "ENABLED", "defaultVariant": "p10", ` + variants + `, "targeting": []}`, openfeature.ParseErrorCode, "targeting"},
		"targeting text":         {`{"state": "ENABLED", "defaultVariant": "p10", ` + variants + `, "targeting": "x"}`, openfeature.ParseErrorCode, "targeting"},
		"no variants":            {`{"state": "ENABLED", "defaultVariant": "p10"}`, openfeature.ParseErrorCode, "variants must be"},
		"empty variants":         {`{"state": "ENABLED", "defaultVariant": "p10", "variants": {}}`, openfeature.ParseErrorCode, "variants must be"},
		"list of variants":       {`{"state": "ENABLED", "defaultVariant": "p10", "variants": [10]}`, openfeature.ParseErrorCode, "an array"},
		"bare number":            {`10`, openfeature.ParseErrorCode, "it is the number 10, not an object"},
		"null":                   {`null`, openfeature.ParseErrorCode, "it is null, not an object"},
		"string":                 {`{"state": "ENABLED", "defaultVariant": "a", "variants": {"a": "10"}}`, openfeature.TypeMismatchCode, `variant "a" must be a number, it is the string "10"`},
		"null value":             {`{"state": "ENABLED", "defaultVariant": "a", "variants": {"a": null}}`, openfeature.TypeMismatchCode, "it is null"},
		"bool value":             {`{"state": "ENABLED", "defaultVariant": "a", "variants": {"a": true}}`, openfeature.TypeMismatchCode, "it is true"},
		"object value":           {`{"state": "ENABLED", "defaultVariant": "a", "variants": {"a": {}}}`, openfeature.TypeMismatchCode, "an object"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "flags.json")
			synctest.Test(t, func(t *testing.T) {
				p := open(t, path, head+c.definition+tail)
				got := share(p)
				detail := got.ResolutionDetail()
				if got.Value != -1 || detail.ErrorCode != c.code {
					t.Errorf("%+v, want the default and %s", got, c.code)
				}
				if place := path + ":3: flag share"; !strings.Contains(detail.ErrorMessage, c.text) || !strings.HasPrefix(detail.ErrorMessage, place) {
					t.Errorf("message %q, want %q and %q in it", detail.ErrorMessage, place, c.text)
				}
				if other := stopped(p); other.Value || other.Error() != nil {
					t.Errorf("the other flag is spoilt too: %+v", other)
				}
			})
		})
	}
}

func TestEmptyTargetingIsNone(t *testing.T) {
	for _, rules := range []string{`{}`, ` { } `, `null`} {
		path := filepath.Join(t.TempDir(), "flags.json")
		synctest.Test(t, func(t *testing.T) {
			p := open(t, path, `{"flags": {"share": {"state": "ENABLED", "defaultVariant": "a", "variants": {"a": 3}, "targeting": `+rules+`, "$note": 1, "metadata": {"x": 1}}}}`)
			if got := share(p); got.Value != 3 || got.Error() != nil {
				t.Errorf("%s: %+v", rules, got)
			}
		})
	}
}

func TestDisabledFlagAnswersTheDefault(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flags.json")
	synctest.Test(t, func(t *testing.T) {
		p := open(t, path, strings.Replace(flagd, "ENABLED", "DISABLED", 1))
		if got := share(p); got.Value != -1 || got.Error() != nil || got.Reason != openfeature.DisabledReason {
			t.Errorf("%+v", got)
		}
	})
}

func TestMissingFlagNamesTheOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flags.json")
	synctest.Test(t, func(t *testing.T) {
		p := open(t, path, flagd)
		got := p.FloatEvaluation(context.Background(), "shares", -1, nil).ResolutionDetail()
		if got.ErrorCode != openfeature.FlagNotFoundCode || !strings.HasSuffix(got.ErrorMessage, "has no flag shares; it has: share, stop") {
			t.Errorf("%+v", got)
		}
	})
}

func TestBrokenFileNamesTheLine(t *testing.T) {
	cases := map[string]struct{ content, text string }{
		"empty":             {"", "the file is empty"},
		"white space":       {" \n\n", "the file is empty"},
		"half":              {flagd[:150], ":3: the file breaks off"},
		"missing comma":     {"{\"flags\": {\n\"a\": 1\n\"b\": 2}}", ":3: not valid JSON"},
		"comment":           {"{\n// exposure\n\"flags\": {}}", ":2: not valid JSON"},
		"YAML":              {"flags:\n  share: 1\n", ":1: the file must be a JSON object"},
		"byte order mark":   {"\ufeff" + flagd, ":1: not valid JSON"},
		"text after":        {flagd + "}", ":4: there is text after the closing brace"},
		"second document":   {flagd + flagd, ":5: there is text after the closing brace"},
		"duplicate flag":    {"{\"flags\": {\"a\": 1,\n\"a\": 2}}", ":2: not valid JSON: duplicate"},
		"duplicate member":  {"{\"flags\": {\"a\": {\"state\": 1,\n\n\"state\": 2}}}", ":3: not valid JSON: duplicate"},
		"duplicate flags":   {"{\"flags\": {},\n\"flags\": {}}", ":2: not valid JSON: duplicate"},
		"escaped duplicate": {"{\"flags\": {\"a\": 1,\n\"\\u0061\": 2}}", ":2: not valid JSON: duplicate"},
		"invalid UTF-8":     {"{\"flags\": {\"a\": \n\"\xff\"}}", ":2: not valid JSON: invalid UTF-8"},
		"no flags":          {`{"$schema": "x"}`, `there is no "flags" member`},
		"typo in flags":     {"{\n\"flag\": {}}", `:2: unknown member "flag"`},
		"list of flags":     {`{"flags": []}`, `"flags" must be a JSON object`},
		"null flags":        {`{"flags": null}`, `"flags" must be a JSON object`},
		"list":              {`[]`, "the file must be a JSON object"},
		"number":            {`10`, "the file must be a JSON object"},
		"very deep":         {`{"flags": ` + strings.Repeat(`{"a":`, 20_000), "not valid JSON"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "flags.json")
			synctest.Test(t, func(t *testing.T) {
				p := open(t, path, c.content)
				for _, detail := range []openfeature.ResolutionDetail{share(p).ResolutionDetail(), stopped(p).ResolutionDetail()} {
					if detail.ErrorCode != openfeature.ParseErrorCode || !strings.HasPrefix(detail.ErrorMessage, path) || !strings.Contains(detail.ErrorMessage, c.text) {
						t.Errorf("%s: %q, want the file's name and %q", detail.ErrorCode, detail.ErrorMessage, c.text)
					}
				}
			})
		})
	}
}

func TestUnreadableFile(t *testing.T) {
	dir := t.TempDir()
	long := filepath.Join(dir, "long.json")
	write(t, long, strings.Repeat(" ", file.SizeLimit+1))
	for path, text := range map[string]string{
		filepath.Join(dir, "none.json"): "no such file",
		dir:                             "not a regular file",
		long:                            "larger than",
	} {
		synctest.Test(t, func(t *testing.T) {
			got := share(follow(t, path)).ResolutionDetail()
			if got.ErrorCode != openfeature.GeneralCode || !strings.Contains(got.ErrorMessage, text) || !strings.Contains(got.ErrorMessage, path) {
				t.Errorf("%+v, want %q", got, text)
			}
		})
	}
}

func TestEveryTypeIsToldFromTheOthers(t *testing.T) {
	values := map[string]string{"bool": "false", "string": `"a"`, "whole": "12", "fraction": "12.5", "object": `{"a": 1}`, "null": "null"}
	var all []string
	for name, value := range values {
		all = append(all, fmt.Sprintf(`%q: {"state": "ENABLED", "defaultVariant": "v", "variants": {"v": %s}}`, name, value))
	}
	path := filepath.Join(t.TempDir(), "flags.json")
	synctest.Test(t, func(t *testing.T) {
		p := open(t, path, `{"flags": {`+strings.Join(all, ",")+`}}`)
		for name := range values {
			got := ""
			if p.BooleanEvaluation(context.Background(), name, true, nil).Error() == nil {
				got += " bool"
			}
			if p.StringEvaluation(context.Background(), name, "", nil).Error() == nil {
				got += " string"
			}
			if p.IntEvaluation(context.Background(), name, 0, nil).Error() == nil {
				got += " int"
			}
			if p.FloatEvaluation(context.Background(), name, 0, nil).Error() == nil {
				got += " float"
			}
			if p.ObjectEvaluation(context.Background(), name, nil, nil).Error() == nil {
				got += " object"
			}
			want := map[string]string{
				"bool": " bool object", "string": " string object", "whole": " int float object",
				"fraction": " float object", "object": " object", "null": "",
			}[name]
			if got != want {
				t.Errorf("%s is read as%s, want%s", name, got, want)
			}
		}
	})
}

func TestEmptyPathFails(t *testing.T) {
	if _, err := file.New(""); err == nil {
		t.Error("an empty path is accepted")
	}
}
