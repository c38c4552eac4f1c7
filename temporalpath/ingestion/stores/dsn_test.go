package stores_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/temporalpath/ingestion/stores"
)

func TestOpenNamesWhatIsWrongWithADSN(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(text, []byte(strings.Repeat("this is no database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ dsn, want string }{
		{"", "must begin with sqlite:"},
		{"mysql://u:secret@h/db", "must begin with sqlite:"},
		{"data/stores.db", "must begin with sqlite:"},
		{"sqlite:", "needs the path of a file"},
		{"sqlite::memory:", "needs the path of a file"},
		{"sqlite:" + dir + "/none/stores.db", "make it first"},
		{"sqlite:" + text, "is it a database"},
		{"sqlite:" + dir + "/s.db?cache=shared", "no parameters but namespace and retention"},
		{"sqlite:" + dir + "/s.db?namespace=Bad-One", "use 1 to 32 of a-z"},
		{"sqlite:" + dir + "/s.db?namespace=", "use 1 to 32 of a-z"},
		{"sqlite:" + dir + "/s.db?retention=soon", "write a Go duration"},
		{"sqlite:" + dir + "/s.db?retention=0s", "write a Go duration"},
		{"sqlite:" + dir + "/s.db?retention=%zz", "cannot be read"},
		{"postgres://u:secret@h:port/db", "cannot be read"},
		{"postgres://u:secret@127.0.0.1:1/db", "127.0.0.1:1"},
		{"redis://u:secret@127.0.0.1:1/zero", "cannot be read"},
		{"redis://u:secret@127.0.0.1:1/0", "does it run"},
	} {
		handle, err := stores.Open(t.Context(), c.dsn, stores.Graph)
		if err == nil {
			handle.Close()
			t.Errorf("%q was opened", c.dsn)
			continue
		}
		if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "graph store") {
			t.Errorf("%q: %v; want the store's kind and %q", c.dsn, err, c.want)
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error gives the password away: %v", err)
		}
	}
}

func TestOpenRefusesAnUnknownKind(t *testing.T) {
	if _, err := stores.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "s.db"), "queue"); err == nil {
		t.Error("opened a store of the kind queue")
	}
}

func TestOpenSetReportsEveryProblem(t *testing.T) {
	_, err := stores.OpenSet(t.Context(), stores.DSNs{Document: "sqlite:" + filepath.Join(t.TempDir(), "s.db"), Graph: "sqlite:"})
	for _, want := range []string{"vector store", "graph store", "cache store"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not name the %s", err, want)
		}
	}
}

func TestKindsShareADatabase(t *testing.T) {
	every(t, func(t *testing.T, dsn string) {
		ref := stores.Ref{DocID: "doc", Intent: "a", Sequence: 1}
		written := open(t, dsn, stores.Document)
		if err := written.Put(t.Context(), stores.Record{Ref: ref, Data: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
		for name, other := range map[string]stores.Handle{
			"kind":      open(t, dsn, stores.Vector),
			"namespace": open(t, dsn+"_shadow", stores.Document),
		} {
			if n, err := other.Count(t.Context()); n != 0 || err != nil {
				t.Errorf("another %s counts %d documents, error %v", name, n, err)
			}
		}
		if n, err := written.Count(t.Context()); n != 1 || err != nil {
			t.Errorf("the store itself counts %d documents, error %v", n, err)
		}
	})
}

func TestSetNamesMissingStores(t *testing.T) {
	err := stores.Set{Vector: &memory{}}.Check()
	if err == nil || strings.Contains(err.Error(), "vector") || !strings.Contains(err.Error(), "cache store is missing") {
		t.Errorf("Check answered %v", err)
	}
}
