package postgres_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"sluice/rollout/store/postgres"
	"sluice/rollout/store/storetest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) storetest.Subject {
		dsn := server.Database(t)
		return storetest.Subject{Shared: true, Leases: true, Open: func(t *testing.T, settings storetest.Settings) storetest.Store {
			store, err := postgres.Open(t.Context(), postgres.Config{DSN: dsn, Migration: salt, Horizon: settings.Horizon})
			if err != nil {
				t.Fatal(err)
			}
			enforce(t, dsn, settings)
			return store
		}}
	})
}

// enforce puts the policy in force under its own epoch.
func enforce(t *testing.T, dsn string, settings storetest.Settings) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	p := settings.Policy
	if _, err := conn.Exec(t.Context(), "UPDATE sluice_control SET policy_epoch = $1, flag = $2, plan = $3, brake = $4, shadow = $5, kill = $6",
		p.Epoch, p.Flag, p.Plan, p.Brake, p.Shadow, p.Kill); err != nil {
		t.Fatal(err)
	}
}

func TestNotesConformance(t *testing.T) {
	t.Parallel()
	storetest.RunNotes(t, func(t *testing.T) storetest.NoteSubject {
		dsn := server.Database(t)
		store := func(t *testing.T) *postgres.Store {
			t.Helper()
			s, err := postgres.Open(t.Context(), postgres.Config{DSN: dsn, Migration: salt})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			return s
		}
		return storetest.NoteSubject{
			Open: func(t *testing.T) storetest.NoteStore { return store(t) },
			Renew: func(t *testing.T, owner string, ttl time.Duration) {
				if err := store(t).Renew(t.Context(), owner, ttl); err != nil {
					t.Fatal(err)
				}
			},
		}
	})
}
