package main

import (
	"testing"
)

// What is wrong is said before anything is sent to anyone: neither legacy nor Temporal
// is there.
func TestValidateChecksBeforehand(t *testing.T) {
	t.Parallel()
	good := `{"method":"POST","path":"/v1/documents","body":{"doc_id":"a"}}` + "\n"
	dry := []string{"-set", `legacy.dry_run.header="X-Dry-Run: true"`}
	for name, test := range map[string]struct {
		text string
		args []string
		code int
		says []string
	}{
		"no file":      {good, nil, 2, []string{"name a file with -file"}},
		"no dry run":   {good, []string{"-file", "FILE"}, 1, []string{"legacy has no dry run", "hint: ", "-legacy-writes"}},
		"no read-back": {good, []string{"-ids", "FILE"}, 2, []string{"-ids needs -read-back"}},
		"bad lines": {good + "\nx\n" + `{"method":"POST","path":"/v1/documents","body":{}}` + "\n" + `{"method":"GET","path":"/v1/documents"}`,
			append(dry, "-file", "FILE"), 1, []string{"line 3: not an object", "line 4: doc_id is missing", "line 5: no route has this method and path: GET /v1/documents"}},
		"nothing":        {"\n", append(dry, "-file", "FILE"), 1, []string{"there is no line in it"}},
		"a bad doc_id":   {"a\n\xff\n", append(dry, "-ids", "FILE", "-read-back", "GET /v1/documents/{id}"), 1, []string{"line 2: doc_id is not valid UTF-8"}},
		"a bad way back": {"a\n", append(dry, "-ids", "FILE", "-read-back", "/v1/documents"), 1, []string{"-read-back"}},
		"no Temporal":    {good, append(dry, "-file", "FILE", "-set", "temporal.address=127.0.0.1:1"), 1, []string{"cannot ask Temporal at 127.0.0.1:1", "hint: temporal.address"}},
		"a bad header":   {good, []string{"-file", "FILE", "-set", "legacy.dry_run.header=yes"}, 1, []string{"legacy.dry_run.header"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := []string{"validate", "-config", shipped(t, "gateway.yaml")}
			for _, arg := range test.args {
				if arg == "FILE" {
					arg = write(t, "requests", test.text)
				}
				args = append(args, arg)
			}
			contains(t, "stderr", finish(t, test.code, args...).stderr.String(), test.says...)
		})
	}
}
