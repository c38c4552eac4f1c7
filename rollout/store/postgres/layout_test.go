package postgres_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"

	"sluice/rollout"
	"sluice/rollout/audit"
	"sluice/rollout/store/postgres"
)

// script runs statements on a connection of its own.
func script(dsn, sql string) error {
	conn, err := pgx.Connect(context.Background(), dsn)
	if err != nil {
		return err
	}
	_, err = conn.Exec(context.Background(), sql, pgx.QueryExecModeSimpleProtocol)
	return errors.Join(err, conn.Close(context.Background()))
}

// firstReleased is a database as the build of commit 584e96a left it, by pg_dump: a
// mark of 80 %, a flag of 30 %, a plan of 50 %, the brake at 0 %, and some of
// everything that is kept.
func firstReleased(t *testing.T) (dsn string) {
	t.Helper()
	dsn = server.Database(t)
	dump, err := os.ReadFile("testdata/layout2.sql")
	if err == nil {
		err = script(dsn, string(dump))
	}
	if err != nil {
		t.Fatal(err)
	}
	return dsn
}

// keepLong is a horizon in which what the fixture holds does not end.
func keepLong(c *postgres.Config) { c.Horizon, c.KeepAnswers = 900_000*time.Hour, 900_000*time.Hour }

// All that the first released layout holds is there afterwards.
func TestFirstReleasedLayoutIsBroughtForward(t *testing.T) {
	t.Parallel()
	dsn := firstReleased(t)
	epoch := query[int64](t, dsn, `SELECT epoch FROM sluice_control`)
	store := open(t, dsn, keepLong)
	if got := query[int](t, dsn, `SELECT layout FROM sluice_control`); got != postgres.Layout() {
		t.Errorf("layout %d", got)
	}
	for doc, want := range map[string]struct {
		path  rollout.Path
		state rollout.ClaimState
	}{
		"open-temporal": {rollout.Temporal, rollout.ClaimOpen}, "done-temporal": {rollout.Temporal, rollout.ClaimDone},
		"open-legacy": {rollout.Legacy, rollout.ClaimOpen}, "done-legacy": {rollout.Legacy, rollout.ClaimDone},
	} {
		h, err := store.Get(t.Context(), doc)
		if err != nil || len(h.Claims) != 1 || h.Claims[0].Path != want.path || h.Claims[0].State != want.state {
			t.Errorf("%s: %+v, %v", doc, h, err)
		}
	}
	session, err := store.Look(t.Context())
	if err != nil || string(session.State) != `{"of":"layout 2"}` || session.Brake.Exposure != 0 || session.Brake.Actor != "ada" || int64(session.Policy.Epoch) <= epoch {
		t.Errorf("%+v, %v", session, err)
	}
	accord, err := store.Offer(t.Context(), "new", percent(t, 100), func(rollout.Exposure) rollout.Pledge { return rollout.Pledge{} })
	if err != nil || accord.Policy.Exposure() != 0 || accord.Policy.Plan != 500_000 || accord.Mark != 800_000 {
		t.Errorf("in force is %+v, %v", accord, err)
	}
	if _, err := store.SetBrake(t.Context(), rollout.Brake{Exposure: rollout.All, Actor: "ada"}); err != nil {
		t.Fatal(err)
	}
	accord, err = store.Offer(t.Context(), "new", percent(t, 100), func(rollout.Exposure) rollout.Pledge { return rollout.Pledge{} })
	if err != nil || accord.Policy.Exposure() != 500_000 {
		t.Errorf("after the release: %+v, %v", accord, err)
	}
	books, err := store.Books(t.Context())
	if err != nil || len(books) != 1 || books[0].Open != 2 {
		t.Errorf("%+v, %v", books, err)
	}
	answer, found, err := store.KeptAnswer(t.Context(), rollout.AnswerKey{DocID: "done-legacy", Intent: "k", Life: 1})
	if err != nil || !found || string(answer.Body) != "kept" {
		t.Errorf("%+v, %v, %v", answer, found, err)
	}
	pages, err := store.Pages(t.Context(), "reports", 5)
	if err != nil || len(pages) != 1 {
		t.Errorf("%v, %v", pages, err)
	}
	entry, err := audit.NewShared(store, zap.NewNop()).Append(t.Context(), rollout.Act{Action: "release", Actor: "ada"})
	if err != nil || entry.Seq != 2 {
		t.Errorf("%+v, %v", entry, err)
	}
}

// What a gateway of the first released layout does, in its own words, if it is still
// running then: nothing of it is stored. Its leader lifted a brake.
func TestBuildsThatDoNotLookAreShutOut(t *testing.T) {
	t.Parallel()
	dsn := firstReleased(t)
	was := map[string]string{
		"a commit": `BEGIN; LOCK TABLE sluice_control IN SHARE MODE;
			DELETE FROM sluice_claims WHERE (SELECT epoch = 6 AND migration = 'temporal-rollout/v1' FROM sluice_control WHERE one); COMMIT`,
		"a policy": `UPDATE sluice_control SET epoch = epoch + 1, flag = 1000000, plan = 1000000, brake = 1000000`,
		"a look":   `SELECT clock_timestamp(), migration, epoch, flag, plan, brake, shadow, kill, mark FROM sluice_control WHERE one`,
	}
	for name, sql := range was {
		if err := script(dsn, strings.Replace(sql, "COMMIT", "ROLLBACK", 1)); err != nil {
			t.Errorf("%s does not work before: %v", name, err)
		}
	}
	store := open(t, dsn, keepLong)
	for name, sql := range was {
		if err := script(dsn, sql); err == nil {
			t.Errorf("%s is still possible", name)
		}
	}
	if h, err := store.Get(t.Context(), "open-temporal"); err != nil || len(h.Claims) != 1 {
		t.Errorf("%+v, %v", h, err)
	}
	// And if it is started then, this is what it looks for: a layout that is not its own.
	if got := query[int](t, dsn, `SELECT layout FROM sluice_control WHERE one AND migration <> ''`); got == 2 {
		t.Error("it would go on")
	}
}

// newer is what a build that is one layout ahead does to the tables.
func newer(t *testing.T, dsn string, fences bool) {
	t.Helper()
	sql := `UPDATE sluice_control SET layout = layout + 1`
	if fences {
		sql += `, least = layout + 1, policy_epoch = policy_epoch + 1`
	}
	if err := script(dsn, "BEGIN; LOCK TABLE sluice_control IN ACCESS EXCLUSIVE MODE; "+sql+"; COMMIT"); err != nil {
		t.Fatal(err)
	}
}

// A gateway that runs while a newer one shuts its build out stores nothing more, even
// what it had read before, and puts no policy in force.
func TestANewerLayoutStopsWhoIsRunning(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	store := open(t, dsn)
	offer(t, store, "old", percent(t, 10))
	once := true
	store.Freeze(func() {
		if once {
			once = false
			newer(t, dsn, true)
		}
	})
	if _, err := take(store, "doc", intent, "old"); !errors.Is(err, postgres.ErrAway) || errors.Is(err, postgres.ErrUnknown) || !strings.Contains(err.Error(), "run the newer build") {
		t.Errorf("a change under way: %v", err)
	}
	if _, _, err := offered(t, store, "old", percent(t, 100)); !errors.Is(err, postgres.ErrAway) {
		t.Errorf("an offer: %v", err)
	}
	if led, err := store.Decide(t.Context(), "old", func(rollout.Session) (rollout.Ruling, error) {
		t.Error("it decides")
		return rollout.Ruling{}, nil
	}); err == nil || led {
		t.Errorf("a decision: %v, %v", led, err)
	}
	eventually(t, "the Store says so by itself", func() bool {
		err := postgres.Ready(store)
		return err != nil && strings.Contains(err.Error(), "run the newer build")
	})
	if got := query[int](t, dsn, `SELECT flag + (SELECT count(*) FROM sluice_claims)::int FROM sluice_control`); got != 100_000 {
		t.Error("something was stored")
	}
	if _, err := postgres.Open(t.Context(), postgres.Config{DSN: dsn, Migration: salt}); err == nil || !strings.Contains(err.Error(), "run the newer build") {
		t.Errorf("another one opens: %v", err)
	}
}

// An offer that has passed its look when the newer build comes.
func TestANewerLayoutAgainstAnOfferUnderWay(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	store := open(t, dsn)
	offer(t, store, "old", percent(t, 10))
	_, err := store.Offer(t.Context(), "old", percent(t, 100), func(rollout.Exposure) rollout.Pledge {
		newer(t, dsn, true) // after the look, before the policy
		return rollout.Pledge{Floor: 300_000, For: time.Minute}
	})
	if err == nil {
		t.Error("it succeeded")
	}
	if got := query[int](t, dsn, `SELECT flag + (SELECT count(*) FROM sluice_pledges)::int FROM sluice_control`); got != 100_000 {
		t.Errorf("in force, and pledged, is %d", got)
	}
}

// A newer build that shuts nobody out leaves the older ones at work, and lets them come
// back.
func TestALayoutThatFencesNobody(t *testing.T) {
	t.Parallel()
	dsn := server.Database(t)
	store := open(t, dsn)
	newer(t, dsn, false)
	if _, err := take(store, "doc", intent, "old"); err != nil {
		t.Error(err)
	}
	if _, err := take(open(t, dsn), "doc", intent, "old"); err != nil {
		t.Error(err)
	}
}
