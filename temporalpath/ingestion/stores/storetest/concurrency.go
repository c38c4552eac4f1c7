package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"sluice/temporalpath/ingestion/stores"
)

// racers is how many goroutines meet on one document.
const racers = 16

func concurrencyChecks() []Check {
	return []Check{
		{"of concurrent writes the newest is visible", racingPuts},
		{"concurrent attempts of one write are one write", racingRepeats},
		{"an undo wins against attempts that run at the same time", racingUndo},
		{"a call with a cancelled context answers an error", cancelled},
	}
}

// together runs do on racers goroutines at once and joins their errors.
func together(do func(i int) error) error {
	var group sync.WaitGroup
	failed := make([]error, racers)
	begin := make(chan struct{})
	for i := range racers {
		group.Go(func() {
			<-begin
			failed[i] = do(i)
		})
	}
	close(begin)
	group.Wait()
	return errors.Join(failed...)
}

// races is how often puts meet: in one race the newest may come last by chance.
const races = 20

func racingPuts(ctx context.Context, s Subject) error {
	for race := range races {
		docID := fmt.Sprint("racing-", race)
		err := together(func(i int) error {
			return on(ctx, s, docID).put(fmt.Sprint("intent-", i), int64(i)+1).err
		})
		if err = errors.Join(err, on(ctx, s, docID).sees(fmt.Sprint("intent-", racers-1), racers).err); err != nil {
			return err
		}
	}
	return nil
}

func racingRepeats(ctx context.Context, s Subject) error {
	err := together(func(int) error { return on(ctx, s, "racing-repeats").put("a", 10).err })
	return errors.Join(err, on(ctx, s, "racing-repeats").sees("a", 10).undo("a", 10).seesNothing().err)
}

func racingUndo(ctx context.Context, s Subject) error {
	before := on(ctx, s, "racing-undo").put("before", 5).err
	err := together(func(i int) error {
		doc := on(ctx, s, "racing-undo")
		if i == racers/2 {
			return doc.undo("a", 10).err
		}
		ref := doc.ref("a", 10)
		if err := s.Put(ctx, stores.Record{Ref: ref, Data: content(ref)}); err != nil && !errors.Is(err, stores.ErrUndone) {
			return err
		}
		return nil
	})
	return errors.Join(before, err, on(ctx, s, "racing-undo").sees("before", 5).err)
}

// cancelled lets the store answer as it likes about what happened, but not say
// that all is well.
func cancelled(ctx context.Context, s Subject) error {
	gone, cancel := context.WithCancel(ctx)
	cancel()
	ref := stores.Ref{DocID: "cancelled", Intent: "a", Sequence: 1}
	if s.Put(gone, stores.Record{Ref: ref}) == nil {
		return errors.New("put with a cancelled context answered nil")
	}
	if s.Undo(gone, ref) == nil {
		return errors.New("undo with a cancelled context answered nil")
	}
	return nil
}
