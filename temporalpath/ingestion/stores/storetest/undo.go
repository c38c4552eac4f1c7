package storetest

import (
	"context"
	"errors"

	"sluice/temporalpath/ingestion/stores"
)

func undoChecks() []Check {
	return []Check{
		{"an undone write is gone", func(ctx context.Context, s Subject) error {
			return on(ctx, s, "gone").put("a", 10).undo("a", 10).seesNothing().err
		}},
		{"an undo may be repeated", func(ctx context.Context, s Subject) error {
			return on(ctx, s, "undo-repeat").put("a", 10).undo("a", 10).undo("a", 10).seesNothing().err
		}},
		{"an undo of a write that never happened is no error", func(ctx context.Context, s Subject) error {
			return on(ctx, s, "undo-never").undo("a", 10).seesNothing().err
		}},
		{"an undo leaves the newer write of another intent", func(ctx context.Context, s Subject) error {
			return on(ctx, s, "undo-hidden").put("a", 10).put("b", 20).undo("a", 10).sees("b", 20).err
		}},
		{"an undo without its put leaves older and newer writes", func(ctx context.Context, s Subject) error {
			older := on(ctx, s, "undo-above").put("a", 10).undo("b", 20).sees("a", 10).err
			newer := on(ctx, s, "undo-below").put("b", 20).undo("a", 10).sees("b", 20).err
			return errors.Join(older, newer)
		}},
		{"an undo leaves the other lives of its intent", func(ctx context.Context, s Subject) error {
			later := on(ctx, s, "undo-lives").put("a", 10).put("a", 20).undo("a", 10).sees("a", 20).err
			first := on(ctx, s, "undo-life").put("a", 10).put("a", 20).undo("a", 20).sees("a", 10).err
			return errors.Join(later, first)
		}},
		{"an undo brings back the write that it had hidden", func(ctx context.Context, s Subject) error {
			return on(ctx, s, "bring-back").put("a", 10).put("b", 20).put("c", 30).
				undo("c", 30).sees("b", 20).undo("b", 20).sees("a", 10).undo("a", 10).seesNothing().err
		}},
		{"an undo brings back no write that is undone", func(ctx context.Context, s Subject) error {
			return on(ctx, s, "skip-undone").put("a", 10).put("b", 20).put("c", 30).
				undo("b", 20).sees("c", 30).undo("c", 30).sees("a", 10).err
		}},
		{"an undo brings back an older write that came late", func(ctx context.Context, s Subject) error {
			return on(ctx, s, "came-late").put("b", 20).put("a", 10).undo("b", 20).sees("a", 10).err
		}},
		{"a put after its undo is refused", func(ctx context.Context, s Subject) error {
			return on(ctx, s, "late-put").put("a", 10).undo("a", 10).
				refusedPut("a", 10, stores.ErrUndone).seesNothing().
				refusedPut("a", 10, stores.ErrUndone).seesNothing().err
		}},
		{"a first put after its undo is refused", func(ctx context.Context, s Subject) error {
			return on(ctx, s, "late-first-put").undo("a", 10).
				refusedPut("a", 10, stores.ErrUndone).seesNothing().err
		}},
		{"a late put does not disturb what came since", func(ctx context.Context, s Subject) error {
			return on(ctx, s, "late-below").put("a", 10).put("b", 20).undo("a", 10).
				refusedPut("a", 10, stores.ErrUndone).sees("b", 20).undo("b", 20).seesNothing().err
		}},
		{"a later life of an undone intent may put", func(ctx context.Context, s Subject) error {
			return on(ctx, s, "next-life").put("a", 10).undo("a", 10).put("a", 20).sees("a", 20).
				refusedPut("a", 10, stores.ErrUndone).sees("a", 20).err
		}},
		{"another intent may put at an undone one's sequence", func(ctx context.Context, s Subject) error {
			return on(ctx, s, "same-time").put("a", 10).undo("a", 10).put("b", 10).sees("b", 10).err
		}},
		{"an undo leaves other documents", func(ctx context.Context, s Subject) error {
			return errors.Join(
				on(ctx, s, "neighbour").put("a", 10).err,
				on(ctx, s, "neighbour-2").put("a", 10).undo("a", 10).seesNothing().err,
				on(ctx, s, "neighbour").sees("a", 10).err,
			)
		}},
	}
}
