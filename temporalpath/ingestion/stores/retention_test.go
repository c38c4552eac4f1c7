package stores_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"sluice/temporalpath/ingestion/stores"
)

// short is a retention that a test can wait for.
const short = 20 * time.Millisecond

func openShort(t *testing.T, dsn string) stores.Handle {
	return open(t, dsn+"&retention="+short.String(), stores.Document)
}

func ref(doc, intent string, sequence int64) stores.Ref {
	return stores.Ref{DocID: doc, Intent: intent, Sequence: sequence}
}

func put(t *testing.T, store stores.Store, ref stores.Ref) {
	t.Helper()
	if err := store.Put(context.Background(), stores.Record{Ref: ref, Data: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
}

func undo(t *testing.T, store stores.Store, ref stores.Ref) {
	t.Helper()
	if err := store.Undo(context.Background(), ref); err != nil {
		t.Fatal(err)
	}
}

// What lies below a write past its retention is dropped at the next one: the
// undo of that next one brings back the settled write, and not one below it.
func TestOldVersionsAreForgotten(t *testing.T) {
	every(t, func(t *testing.T, dsn string) {
		store := openShort(t, dsn)
		put(t, store, ref("doc", "a", 10))
		put(t, store, ref("doc", "b", 20))
		time.Sleep(2 * short)
		put(t, store, ref("doc", "c", 30))
		undo(t, store, ref("doc", "c", 30))
		got, err := store.Get(t.Context(), "doc")
		if err != nil || got.Intent != "b" {
			t.Fatalf("visible is %+v, error %v; want b", got.Ref, err)
		}
		undo(t, store, ref("doc", "b", 20))
		if got, err := store.Get(t.Context(), "doc"); !errors.Is(err, stores.ErrNotFound) {
			t.Errorf("a was kept: %+v, error %v", got.Ref, err)
		}
	})
}

// The visible write is never old enough to be dropped.
func TestTheVisibleVersionStays(t *testing.T) {
	every(t, func(t *testing.T, dsn string) {
		store := openShort(t, dsn)
		put(t, store, ref("doc", "a", 10))
		time.Sleep(2 * short)
		put(t, store, ref("doc", "a", 10))
		undo(t, store, ref("other", "a", 10))
		if got, err := store.Get(t.Context(), "doc"); err != nil || got.Intent != "a" {
			t.Errorf("visible is %+v, error %v; want a", got.Ref, err)
		}
	})
}

// A document that is ingested again after its undo must not go with the mark.
func TestPutAfterUndoOutlivesTheMark(t *testing.T) {
	every(t, func(t *testing.T, dsn string) {
		store := openShort(t, dsn)
		undo(t, store, ref("doc", "a", 10))
		put(t, store, ref("doc", "a", 20))
		time.Sleep(3 * short)
		undo(t, store, ref("other", "a", 10))
		if got, err := store.Get(t.Context(), "doc"); err != nil || got.Sequence != 20 {
			t.Errorf("visible is %+v, error %v; want sequence 20", got.Ref, err)
		}
	})
}

// Undo marks hold no data, and go after the retention with any later undo.
func TestUndoMarksAreForgotten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stores.db")
	store := openShort(t, "sqlite:"+path+"?namespace=ingestion")
	put(t, store, ref("doc", "a", 10))
	undo(t, store, ref("doc", "a", 10))
	if rows, bytes := left(t, path); rows != 1 || bytes != 0 {
		t.Errorf("after an undo there are %d rows with %d bytes, want the mark alone", rows, bytes)
	}
	time.Sleep(2 * short)
	undo(t, store, ref("other", "a", 10))
	if rows, _ := left(t, path); rows != 1 {
		t.Errorf("%d rows are left, want the new mark alone", rows)
	}
}

func left(t *testing.T, path string) (rows, bytes int) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.QueryRow(`SELECT count(*), coalesce(sum(length(data)), 0) FROM ingestion_document`).Scan(&rows, &bytes)
	if err != nil {
		t.Fatal(err)
	}
	return rows, bytes
}
