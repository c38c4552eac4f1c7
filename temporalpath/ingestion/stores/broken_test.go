package stores_test

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"sluice/temporalpath/ingestion/stores"
	"sluice/temporalpath/ingestion/stores/storetest"
)

// memory is a store in a map, with one protection after the other to take away.
type memory struct {
	lastWins   bool // ignores the sequence: what is written last is visible
	ownerless  bool // undo removes whatever is visible
	markless   bool // undo leaves no mark
	shallow    bool // keeps the visible write only
	deadIntent bool // undo marks the intent, not the write

	mu     sync.Mutex
	writes map[string][]write // guarded by mu
}

type write struct {
	stores.Record
	undone bool
}

func (m *memory) Put(ctx context.Context, rec stores.Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := refuse(ctx, rec.Ref); err != nil {
		return err
	}
	known := m.writes[rec.DocID]
	if i := m.find(known, rec.Ref); i >= 0 {
		if known[i].undone {
			return stores.ErrUndone
		}
		return nil
	}
	if m.shallow {
		known = slices.DeleteFunc(known, func(w write) bool { return !w.undone && w.Sequence < rec.Sequence })
	}
	known = append(known, write{Record: rec})
	if !m.lastWins {
		slices.SortFunc(known, func(a, b write) int {
			return cmp.Or(cmp.Compare(a.Sequence, b.Sequence), cmp.Compare(a.Intent, b.Intent))
		})
	}
	m.writes[rec.DocID] = known
	return nil
}

func (m *memory) Undo(ctx context.Context, ref stores.Ref) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := refuse(ctx, ref); err != nil {
		return err
	}
	if m.ownerless {
		delete(m.writes, ref.DocID)
		return nil
	}
	known := slices.DeleteFunc(m.writes[ref.DocID], func(w write) bool { return w.Ref == ref })
	if !m.markless {
		known = append([]write{{Record: stores.Record{Ref: ref}, undone: true}}, known...)
	}
	m.writes[ref.DocID] = known
	return nil
}

func (m *memory) Get(_ context.Context, docID string) (stores.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range slices.Backward(m.writes[docID]) {
		if !w.undone {
			return w.Record, nil
		}
	}
	return stores.Record{}, stores.ErrNotFound
}

func (m *memory) find(known []write, ref stores.Ref) int {
	return slices.IndexFunc(known, func(w write) bool {
		return w.Ref == ref || m.deadIntent && w.undone && w.Intent == ref.Intent
	})
}

func refuse(ctx context.Context, ref stores.Ref) error {
	if ref.DocID == "" || ref.Intent == "" || ref.Sequence <= 0 {
		return stores.ErrRef
	}
	return ctx.Err()
}

// A suite that no broken store fails proves nothing.
func TestSuiteRejectsBrokenStores(t *testing.T) {
	for _, broken := range []struct {
		name    string
		store   *memory
		clauses []string // the clauses that must fail, at least
	}{
		{"without the sequence", &memory{lastWins: true}, []string{
			"an older write never hides a newer one", "sequences are compared", "of concurrent writes"}},
		{"without ownership of undos", &memory{ownerless: true}, []string{
			"an undo leaves the newer write of another intent", "an undo without its put leaves", "an undo leaves the other lives"}},
		{"without undo marks", &memory{markless: true}, []string{
			"a put after its undo is refused", "a first put after its undo is refused", "a late put does not disturb"}},
		{"without the hidden versions", &memory{shallow: true}, []string{
			"an undo brings back the write that it had hidden", "an undo leaves the other lives"}},
		{"with marks per intent", &memory{deadIntent: true}, []string{"a later life of an undone intent may put"}},
	} {
		t.Run(broken.name, func(t *testing.T) {
			broken.store.writes = map[string][]write{}
			failed := failing(t, broken.store)
			for _, clause := range broken.clauses {
				if !slices.ContainsFunc(failed, func(name string) bool { return strings.HasPrefix(name, clause) }) {
					t.Errorf("the clause %q lets it pass; failed: %q", clause, failed)
				}
			}
		})
	}
}

// The store with all its protections passes, so it is they that the suite misses.
func TestSuiteAcceptsTheWholeStore(t *testing.T) {
	if failed := failing(t, &memory{writes: map[string][]write{}}); len(failed) > 0 {
		t.Errorf("failed clauses: %q", failed)
	}
}

func failing(t *testing.T, subject storetest.Subject) (names []string) {
	for _, check := range storetest.Checks() {
		if err := check.Run(t.Context(), subject); err != nil {
			t.Logf("%s: %v", check.Name, err)
			names = append(names, check.Name)
		}
	}
	return names
}
