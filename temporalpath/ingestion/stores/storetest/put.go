package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"sluice/temporalpath/ingestion/stores"
)

func putChecks() []Check {
	return []Check{
		{"a document never put is not found", func(ctx context.Context, s Subject) error {
			return on(ctx, s, "never").seesNothing().err
		}},
		{"a record put is visible", func(ctx context.Context, s Subject) error {
			return on(ctx, s, "put").put("a", 10).sees("a", 10).err
		}},
		{"a repeat changes nothing", func(ctx context.Context, s Subject) error {
			return on(ctx, s, "repeat").put("a", 10).put("a", 10).put("a", 10).sees("a", 10).
				undo("a", 10).seesNothing().err
		}},
		{"a newer write hides an older one", func(ctx context.Context, s Subject) error {
			return on(ctx, s, "newer").put("a", 10).put("b", 20).sees("b", 20).err
		}},
		{"an older write never hides a newer one", func(ctx context.Context, s Subject) error {
			return on(ctx, s, "older").put("b", 20).put("a", 10).sees("b", 20).put("a", 10).sees("b", 20).err
		}},
		{"sequences are compared as numbers, to the last nanosecond", sequences},
		{"of equal sequences the greater intent is visible, whatever the order", func(ctx context.Context, s Subject) error {
			one := on(ctx, s, "tie-one").put("B", 10).put("a", 10).sees("a", 10).err
			two := on(ctx, s, "tie-two").put("a", 10).put("B", 10).sees("a", 10).err
			return errors.Join(one, two)
		}},
		{"any id is kept apart from any other", strangeIDs},
		{"any data is kept byte for byte", strangeData},
		{"a ref without doc_id, intent or sequence is refused", incomplete},
	}
}

func sequences(ctx context.Context, s Subject) error {
	const now = int64(1_767_225_600_000_000_000)
	digits := on(ctx, s, "digits").put("a", 9).put("b", 10).sees("b", 10).err
	close := on(ctx, s, "close").put("a", now+1).put("b", now).sees("a", now+1).err
	far := on(ctx, s, "far").put("a", 1<<63-1).put("b", now).sees("a", 1<<63-1).err
	return errors.Join(digits, close, far)
}

func strangeIDs(ctx context.Context, s Subject) error {
	ids := []string{
		"Case", "case", "ünï→", "u\u0308", "sp ace", "quote'\"; --", "a/b", "a:b", "a*?[b]", "nul\x00byte",
		"nul", "%s", "{tag}", strings.Repeat("x", 512), strings.Repeat("x", 511) + "y", "bad\xff",
	}
	for i, id := range ids {
		if err := on(ctx, s, id).seesNothing().put(id, int64(i)+1).err; err != nil {
			return err
		}
	}
	for i, id := range ids {
		if err := on(ctx, s, id).sees(id, int64(i)+1).undo(id, int64(i)+1).seesNothing().err; err != nil {
			return err
		}
	}
	return nil
}

func strangeData(ctx context.Context, s Subject) error {
	for i, data := range [][]byte{{}, []byte("\x00\xff'\\"), bytes.Repeat([]byte("0123456789abcdef"), 1<<16)} {
		ref := stores.Ref{DocID: fmt.Sprint("data-", i), Intent: "a", Sequence: 1}
		if err := s.Put(ctx, stores.Record{Ref: ref, Data: data}); err != nil {
			return err
		}
		got, err := s.Get(ctx, ref.DocID)
		if err != nil {
			return err
		}
		if !bytes.Equal(got.Data, data) {
			return fmt.Errorf("%d bytes of data came back as %d others", len(data), len(got.Data))
		}
	}
	return nil
}

func incomplete(ctx context.Context, s Subject) error {
	for _, ref := range []stores.Ref{
		{Intent: "a", Sequence: 1}, {DocID: "incomplete", Sequence: 1},
		{DocID: "incomplete", Intent: "a"}, {DocID: "incomplete", Intent: "a", Sequence: -1},
	} {
		if err := s.Put(ctx, stores.Record{Ref: ref}); !errors.Is(err, stores.ErrRef) {
			return fmt.Errorf("put of %+v answered %v, want ErrRef", ref, err)
		}
		if err := s.Undo(ctx, ref); !errors.Is(err, stores.ErrRef) {
			return fmt.Errorf("undo of %+v answered %v, want ErrRef", ref, err)
		}
	}
	return on(ctx, s, "incomplete").seesNothing().err
}
