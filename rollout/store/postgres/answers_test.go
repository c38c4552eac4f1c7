package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"sluice/rollout"
	"sluice/rollout/store/postgres"
	"sluice/rollout/store/storetest"
)

func keeping(keep time.Duration) func(*postgres.Config) {
	return func(c *postgres.Config) { c.KeepAnswers, c.ForgetEvery = keep, 20*time.Millisecond }
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	storetest.RunAnswers(t, func(t *testing.T) storetest.OpenAnswers {
		dsn := server.Database(t)
		return func(t *testing.T, keep time.Duration) storetest.Answers {
			store, err := postgres.Open(t.Context(), postgres.Config{DSN: dsn, Migration: salt, KeepAnswers: keep, ForgetEvery: 20 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			return store
		}
	})
}

// What one gateway kept another one finds, and it leaves the disk for both.
func TestAnswersAreSharedAndForgotten(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	first, second := open(t, dsn, keeping(3*time.Second)), open(t, dsn, keeping(3*time.Second))
	for life := range uint64(1200) { // more than are forgotten at once
		if err := first.KeepAnswer(t.Context(), rollout.AnswerKey{DocID: "a", Intent: intent, Life: life}, &rollout.Answer{Status: 200, Body: []byte("a")}); err != nil {
			t.Fatal(err)
		}
	}
	got, found, err := second.KeptAnswer(t.Context(), rollout.AnswerKey{DocID: "a", Intent: intent, Life: 1199})
	if err != nil || !found || string(got.Body) != "a" {
		t.Errorf("%+v, %v, %v", got, found, err)
	}
	eventually(t, "no row is left", func() bool { return query[int](t, dsn, "SELECT count(*) FROM sluice_answers") == 0 })
}

// A database of a gateway that knew no answers gets their table, and its claims
// stay.
func TestAnswersAreAddedToOlderTables(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	old := open(t, dsn)
	if _, err := take(old, "doc", intent, "a"); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), "DROP TABLE sluice_answers"); err != nil {
		t.Fatal(err)
	}
	store := open(t, dsn)
	key := rollout.AnswerKey{DocID: "a", Intent: intent, Life: 1}
	if err := store.KeepAnswer(t.Context(), key, &rollout.Answer{Status: 200}); err != nil {
		t.Fatal(err)
	}
	if h, err := store.Get(t.Context(), "doc"); err != nil || len(h.Claims) != 1 {
		t.Errorf("%+v, %v", h, err)
	}
}
