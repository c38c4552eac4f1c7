package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// schemaLock lets one gateway at a time make the tables.
const schemaLock = `SELECT pg_advisory_xact_lock(hashtext('sluice claims'))`

// The tables of the first layout. The columns of a claim are what the database itself must know; the rest is in
// the record, as rollout.AppendHolding wrote it. doc_key is the first half of the
// doc_id's SHA-256. expires is in milliseconds since 1970, 0 while a claim is
// open; owners are those of the open claims and of their sends, sorted.
//
// A row of sluice_pledges is one gateway's rollout.Pledge, the
// number counts those of its process. foreign_until is until when
// claims of another migration hold their retries, in milliseconds since 1970; sought
// is the exposure that the leader wants.
//
// The leader's row is locked while a policy is made, leases are renewed every
// second: neither may disturb the control row, which every batch checks.
//
// The books are spread over slots, of which each lane has one, so that gateways do
// not wait for each other to count. The audit is described in audit.go.
const schema = `
CREATE TABLE sluice_claims (
	doc_key bytea PRIMARY KEY,
	record  bytea NOT NULL,
	stamp   bigint NOT NULL,
	owners  text[] COLLATE "C" NOT NULL,
	expires bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.2);
CREATE INDEX sluice_claims_open ON sluice_claims (owners) WHERE expires = 0;
CREATE INDEX sluice_claims_settled ON sluice_claims (expires) WHERE expires > 0;

CREATE TABLE sluice_leases (
	owner   text COLLATE "C" PRIMARY KEY,
	expires timestamptz NOT NULL
);

CREATE TABLE sluice_pledges (
	owner     text COLLATE "C" PRIMARY KEY,
	migration text NOT NULL,
	floor     integer NOT NULL,
	expires   timestamptz NOT NULL,
	number    bigint NOT NULL
);

CREATE TABLE sluice_leader (
	one     boolean PRIMARY KEY DEFAULT true CHECK (one),
	owner   text NOT NULL,
	expires timestamptz NOT NULL,
	sought  integer NOT NULL DEFAULT 0
);

CREATE TABLE sluice_books (
	slot  smallint NOT NULL,
	route text COLLATE "C" NOT NULL,
	entry smallint NOT NULL,
	times bigint NOT NULL,
	PRIMARY KEY (slot, route, entry)
) WITH (fillfactor = 20);

CREATE TABLE sluice_audit (
	seq  bigint PRIMARY KEY,
	hash text NOT NULL,
	line bytea NOT NULL
);

CREATE TABLE sluice_control (
	one       boolean PRIMARY KEY DEFAULT true CHECK (one),
	layout    integer NOT NULL,
	migration text NOT NULL,
	epoch     bigint NOT NULL,
	flag      integer NOT NULL,
	plan      integer NOT NULL,
	brake     integer NOT NULL,
	shadow    integer NOT NULL,
	kill      boolean NOT NULL,
	mark      integer NOT NULL,
	foreign_until bigint NOT NULL DEFAULT 0
)`

// answersSchema is of a table that came later. It is made beside the others, which
// stay as they are, so it is no other layout. key is rollout.AnswerKey.Sum, answer
// as rollout.AppendAnswer wrote it, expires as in a claim.
const answersSchema = `
CREATE TABLE sluice_answers (
	key     bytea PRIMARY KEY,
	answer  bytea NOT NULL,
	expires bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX sluice_answers_expires ON sluice_answers (expires)`

// firstControl is the control row before any Offer: nothing goes to Temporal.
const firstControl = `INSERT INTO sluice_control (layout, migration, epoch, flag, plan, brake, shadow, kill, mark)
	VALUES ($1, $2, 0, 0, 1000000, 1000000, 0, false, 0)`

// prepare makes the tables where there are none and takes the database over for
// the migration. All of it is one transaction; several gateways may try at once.
func (s *Store) prepare(ctx context.Context) error {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	err := s.checkSessions(ctx)
	if err == nil {
		err = s.prepareTables(ctx)
	}
	if err != nil {
		return fmt.Errorf("%s (does it run, and may the user log in and create tables?): %w", where(s.pool), err)
	}
	return nil
}

func (s *Store) prepareTables(ctx context.Context) error {
	return pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, schemaLock); err != nil {
			return err
		}
		if err := s.makeTables(ctx, tx); err != nil {
			return err
		}
		if err := bringForward(ctx, tx); err != nil {
			return err
		}
		return s.takeOver(ctx, tx)
	})
}

// makeTables touches no table that exists: CREATE INDEX IF NOT EXISTS would lock
// the claims against the gateways that run.
func (s *Store) makeTables(ctx context.Context, tx pgx.Tx) error {
	var claims, answers bool
	const look = `SELECT to_regclass('sluice_control') IS NOT NULL, to_regclass('sluice_answers') IS NOT NULL`
	if err := tx.QueryRow(ctx, look).Scan(&claims, &answers); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, notesSchema+";"+brakeSchema+";"+countsSchema+";"+deskSchema, pgx.QueryExecModeSimpleProtocol); err != nil {
		return err
	}
	if !answers {
		if _, err := tx.Exec(ctx, answersSchema, pgx.QueryExecModeSimpleProtocol); err != nil {
			return err
		}
	}
	if claims {
		return nil
	}
	if _, err := tx.Exec(ctx, schema, pgx.QueryExecModeSimpleProtocol); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, firstControl, firstLayout, s.cfg.Migration)
	return err
}

// takeOver makes the tables this migration's. A new migration begins with the policy that is in force, as a new epoch, so that
// gateways of the old one cannot commit any more; with nothing, while a pledge of the
// old one holds, because its floor says nothing of the new buckets.
func (s *Store) takeOver(ctx context.Context, tx pgx.Tx) error {
	var migration string
	if err := tx.QueryRow(ctx, `SELECT migration FROM sluice_control WHERE one`).Scan(&migration); err != nil {
		return err
	}
	if migration == s.cfg.Migration {
		return nil
	}
	if _, err := tx.Exec(ctx, `LOCK TABLE sluice_control IN EXCLUSIVE MODE`); err != nil {
		return err
	}
	var open bool
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM sluice_claims WHERE expires = 0)`).Scan(&open); err != nil {
		return err
	}
	if open {
		return s.foreign(migration)
	}
	_, err := tx.Exec(ctx, `WITH pledged AS (SELECT EXISTS (SELECT FROM sluice_pledges WHERE expires > clock_timestamp()) AS any)
		UPDATE sluice_control SET migration = $1, policy_epoch = policy_epoch + 1,
		flag = CASE WHEN pledged.any THEN 0 ELSE flag END,
		mark = CASE WHEN kill OR pledged.any THEN 0 ELSE least(flag, plan, brake) END,
		foreign_until = (SELECT coalesce(max(expires), 0) FROM sluice_claims)
		FROM pledged`, s.cfg.Migration)
	return err
}

// foreign is the error for a database of another migration.
func (s *Store) foreign(migration string) error {
	return fmt.Errorf("%w: its salt is %q, this gateway's is %q: a new salt sends documents elsewhere, so it is refused while claims are open; use the old salt until none are",
		ErrMigration, migration, s.cfg.Migration)
}
