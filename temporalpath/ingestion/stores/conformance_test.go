package stores_test

import (
	"testing"

	"sluice/temporalpath/ingestion/stores"
	"sluice/temporalpath/ingestion/stores/storetest"
)

func open(t *testing.T, dsn string, kind stores.Kind) stores.Handle {
	t.Helper()
	handle, err := stores.Open(t.Context(), dsn, kind)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := handle.Close(); err != nil {
			t.Error(err)
		}
	})
	return handle
}

func TestConformance(t *testing.T) {
	every(t, func(t *testing.T, dsn string) {
		for _, kind := range stores.Kinds() {
			t.Run(string(kind), func(t *testing.T) {
				storetest.Run(t, func(t *testing.T) storetest.Subject { return open(t, dsn, kind) })
			})
		}
	})
}

// Two handles are two processes as far as a store can tell.
func TestConformanceOfTwoHandles(t *testing.T) {
	every(t, func(t *testing.T, dsn string) {
		one, two := open(t, dsn, stores.Vector), open(t, dsn, stores.Vector)
		storetest.Run(t, func(*testing.T) storetest.Subject { return &alternating{one: one, two: two} })
	})
}
