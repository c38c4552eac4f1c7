package stores_test

import (
	"os"
	"path/filepath"
	"testing"

	"sluice/temporalpath/ingestion/stores"
)

func TestSame(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink(dir, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for _, test := range []struct {
		a, b string
		same bool
	}{
		{"sqlite:a.db", "sqlite:./x/../a.db", true},
		{"sqlite:a.db?retention=1h", "sqlite:" + dir + "/a.db", true},
		{"sqlite:link/a.db", "sqlite:a.db", true},
		{"sqlite:absent/a.db", "sqlite:absent/./a.db", true},
		{"sqlite:a.db", "sqlite:b.db", false},
		{"sqlite:a.db", "sqlite:a.db?namespace=shadow", false},
		{"postgres://u:p@h/d", "postgresql://v@H:5432/d?sslmode=disable", true},
		{"postgres://u@h/d", "postgres://u@h/d?namespace=shadow&sslmode=disable", false},
		{"postgres://u@h/d", "postgres://u@h/e", false},
		{"postgres://u@/d?host=/a", "postgres://u@/d?host=/b", false},
		{"redis://h", "rediss://:secret@h:6379/0", true},
		{"redis://h/1", "redis://h/2", false},
		{"nonsense", "nonsense", false},
	} {
		if got := stores.Same(test.a, test.b); got != test.same {
			t.Errorf("%s and %s: %v", test.a, test.b, got)
		}
	}
}
