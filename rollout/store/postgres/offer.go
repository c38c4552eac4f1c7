package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"sluice/rollout"
)

// channel is where a changed policy is announced, by the Store that changed it.
const channel = "sluice_policy"

const (
	// lead makes the owner leader, or keeps it, unless somebody else's term runs: then
	// it locks nothing, and waits for no ruling of the leader's.
	lead = `WITH first AS (
			INSERT INTO sluice_leader (owner, expires) SELECT $1, clock_timestamp() + $2
			WHERE NOT EXISTS (SELECT FROM sluice_leader) ON CONFLICT DO NOTHING RETURNING 1
		), kept AS (
			UPDATE sluice_leader SET owner = $1, expires = clock_timestamp() + $2
			WHERE owner = $1 OR expires <= clock_timestamp() RETURNING 1
		) SELECT EXISTS (SELECT FROM first) OR EXISTS (SELECT FROM kept)`

	// keepTerm holds the leader's row, so that nobody else becomes leader before
	// the transaction ends, and says what the leader wants.
	keepTerm = `UPDATE sluice_leader SET sought = $2 WHERE owner = $1 AND expires > clock_timestamp()`

	// holdControl waits for the batches whose fence stands, and those that come
	// later wait for it. What has been pledged by then is seen after it.
	holdControl = `LOCK TABLE sluice_control IN ROW EXCLUSIVE MODE`

	// enact raises nothing above a floor that somebody has pledged. A floor of
	// another migration is one of other buckets. The brake is the one that operators
	// want, and the plan is not above the desk's, read under the lock: see brake.go.
	enact = `WITH floors AS (
			SELECT greatest(mark, coalesce((SELECT min(CASE WHEN migration = $2 THEN floor ELSE 0 END)
				FROM sluice_pledges WHERE expires > clock_timestamp()), 1000000)) AS lowest, ` + wantedBrake + ` AS brake, least($4, ` + ruledPlan + `) AS plan FROM sluice_control
		), sought AS (
			SELECT CASE WHEN $6 THEN 0 ELSE least($3, plan, brake) END AS exposure, lowest, brake, plan FROM floors
		), allowed AS (
			SELECT least(exposure, lowest) AS exposure, CASE WHEN exposure > lowest THEN lowest ELSE $3 END AS flag, brake, plan FROM sought
		), changed AS (
			UPDATE sluice_control SET policy_epoch = policy_epoch + 1, flag = a.flag, plan = a.plan, brake = a.brake, shadow = $5, kill = $6, mark = greatest(mark, a.exposure)
			FROM allowed AS a
			WHERE migration = $2 AND (sluice_control.flag, sluice_control.plan, sluice_control.brake, shadow, kill) IS DISTINCT FROM (a.flag, a.plan, a.brake, $5, $6)
			AND EXISTS (SELECT FROM sluice_leader WHERE owner = $1 AND expires > clock_timestamp()) AND least <= $9
			RETURNING policy_epoch
		) SELECT pg_notify('` + channel + `', $7) WHERE EXISTS (SELECT FROM changed) OR $8`

	readStanding = `SELECT coalesce((SELECT sought FROM sluice_leader), 0), ` + wantedBrake + `, ` + ruledPlan + ` FROM sluice_control WHERE one`
)

// Offer says what the owner's own flags allow (want's Epoch and Brake do not
// matter, and its Plan only if it is below the desk's), and what it pledges, which pledge is asked for once it is known what
// exposure the leader seeks. If the owner is, or can now become, the leader, that
// policy is in force when Offer returns, in a new epoch if anything differs; but with
// no exposure that is both above the mark and above a floor that another gateway
// has pledged: to that it is raised by a later Offer.
//
// A lower policy waits for no pledge, and at most Timeout for commits under way. If
// Offer fails the policy and the pledge may or may not have changed: keep the lower
// exposure and the higher floor, and offer again.
func (s *Store) Offer(ctx context.Context, owner string, want rollout.Policy, pledge func(sought rollout.Exposure) rollout.Pledge) (rollout.Accord, error) {
	if err := s.usable(ctx); err != nil {
		return rollout.Accord{}, err
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	var now standing
	err := s.unblocked(ctx, func() error {
		var err error
		if now, err = s.stand(ctx, owner); err != nil || s.mine(&now.control) != nil {
			return err
		}
		return s.agree(ctx, owner, want, pledge, &now)
	})
	if err != nil {
		s.lost(err)
		return rollout.Accord{}, fmt.Errorf("%w: offer a policy: %w", ErrAway, err)
	}
	if err := s.mine(&now.control); err != nil {
		s.lost(err)
		return rollout.Accord{}, err
	}
	return rollout.Accord{Policy: now.policy, Mark: now.mark, Floor: now.floor}, nil
}

// standing is the control row, and how the owner stands.
type standing struct {
	control
	leads  bool
	sought rollout.Exposure
	brake  rollout.Exposure // as operators want it
	plan   rollout.Exposure // as it was ruled
	floor  rollout.Exposure // as pledged
}

// agree is the second half of an Offer: it changes what the owner may change.
func (s *Store) agree(ctx context.Context, owner string, want rollout.Policy, pledge func(rollout.Exposure) rollout.Pledge, now *standing) error {
	want.Brake, want.Plan = now.brake, min(want.Plan, now.plan)
	if now.leads && (!now.holds(want) || now.sought != want.Exposure()) {
		return s.enact(ctx, owner, want, pledge(want.Exposure()), now)
	}
	return s.pledge(ctx, owner, pledge(now.sought), now)
}

// stand reads the control row without a lock, and tells whether the owner leads.
func (s *Store) stand(ctx context.Context, owner string) (standing, error) {
	batch := &pgx.Batch{}
	batch.Queue(lead, owner, s.cfg.LeaderTTL)
	batch.Queue(readControl)
	batch.Queue(readStanding)
	answers := s.pool.SendBatch(ctx, batch)
	now := standing{floor: rollout.All}
	err := answers.QueryRow().Scan(&now.leads)
	if err == nil {
		now.control, err = scanControl(answers.QueryRow())
	}
	if err == nil {
		err = answers.QueryRow().Scan(&now.sought, &now.brake, &now.plan)
	}
	if closed := answers.Close(); err == nil {
		err = closed
	}
	return now, err
}

// enact puts want in force, as far as pledges allow, if the owner still leads, and
// announces it, or that it seeks more.
func (s *Store) enact(ctx context.Context, owner string, want rollout.Policy, pledge rollout.Pledge, now *standing) error {
	seeks := now.sought != want.Exposure()
	t := transaction{}
	t.add(keepTerm, owner, want.Exposure())
	t.add(holdControl)
	s.queuePledge(&t, owner, pledge)
	t.add(enact, owner, s.cfg.Migration, want.Flag, want.Plan, want.Shadow, want.Kill, s.self, seeks, layout())
	return t.run(ctx, s.pool, pledge, owner, now)
}
