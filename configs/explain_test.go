package configs_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"sluice/configs"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "a.yaml")
	if err := os.WriteFile(file, []byte("log:\n  level: info\ndata: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	plain := errors.New("no key's")
	if got := configs.Explain(file, plain); got != plain {
		t.Errorf("an error of no key became %v", got)
	}
	if got := configs.Explain(file, nil); got != nil || configs.At("data", nil) != nil {
		t.Errorf("no error became %v", got)
	}
	got := configs.Explain(file, errors.Join(configs.At("data", plain), nil, errors.Join(configs.At("log.level", plain), fmt.Errorf("wrapped: %w", plain)), configs.At("claims.store", plain)))
	want := file + " has 4 problems:\n  wrapped: no key's\n  claims.store: no key's\n  line 2: log.level: no key's\n  line 3: data: no key's"
	if got == nil || got.Error() != want {
		t.Errorf("got %v\nwant %s", got, want)
	}
}

func TestOneDocumentOnly(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"---\nlog: {level: info}\n", "log: {level: info}\n", "# nothing\n"} {
		if _, err := load(t, text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{"log: {level: info}\n---\ndata: a\n", "---\n---\ndata: a\n"} {
		if _, err := load(t, text); err == nil {
			t.Errorf("%q: the second document is not seen", text)
		}
	}
}
