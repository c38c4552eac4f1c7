package postgres

import (
	"time"
)

// forgetBatch is how many holdings are forgotten at once: few, so that their
// locks are short.
const forgetBatch = 500

// forgetRows passes over what somebody is changing: it waits for nobody, so it
// cannot be part of a deadlock.
const forgetRows = `DELETE FROM sluice_claims WHERE doc_key IN (
		SELECT doc_key FROM sluice_claims
		WHERE expires > 0 AND expires <= $1
		ORDER BY expires LIMIT $2 FOR UPDATE SKIP LOCKED
	) AND expires > 0 AND expires <= $1`

// forgetAnswers is the same for answers.
const forgetAnswers = `DELETE FROM sluice_answers WHERE key IN (
		SELECT key FROM sluice_answers
		WHERE expires <= $1
		ORDER BY expires LIMIT $2 FOR UPDATE SKIP LOCKED
	) AND expires <= $1`

// forgetLeases keeps a dead gateway's lease for the horizon: whether there was one
// and when it ended can be looked up that long.
const forgetLeases = `DELETE FROM sluice_leases WHERE expires < clock_timestamp() - $1::interval`

// forgetPledges removes those that hold no more.
const forgetPledges = `DELETE FROM sluice_pledges WHERE expires <= clock_timestamp()`

// keepForgetting removes what no gateway needs any more. Every gateway does.
func (s *Store) keepForgetting() {
	out := outage{log: s.cfg.Log, what: "settled claims are not forgotten"}
	var ticks time.Time // when they were forgotten
	for {
		select {
		case <-s.stop.Done():
			return
		case <-time.After(s.cfg.ForgetEvery):
		}
		if s.ready.check() != nil {
			continue
		}
		err := s.forget()
		if err == nil {
			due := time.Since(ticks) >= forgetTicksEvery
			if err = s.tidy(due); err == nil && due {
				ticks = time.Now()
			}
		}
		if s.stop.Err() != nil {
			return
		}
		out.note(err)
	}
}

// forget removes every holding and every answer whose time has passed, a few at a
// time.
func (s *Store) forget() error {
	for s.stop.Err() == nil {
		gone, err := s.forgetSome()
		if err != nil || gone < forgetBatch {
			return err
		}
	}
	return nil
}

func (s *Store) forgetSome() (int64, error) {
	ctx, cancel := s.bounded(s.stop)
	defer cancel()
	var now int64 // as a parameter: an index cannot be searched for a clock
	err := s.pool.QueryRow(ctx, "SELECT "+nowMilli).Scan(&now)
	if err != nil {
		return 0, err
	}
	var most int64
	for _, statement := range [...]string{forgetRows, forgetAnswers} {
		tag, err := s.pool.Exec(ctx, statement, now, forgetBatch)
		if err != nil {
			return 0, err
		}
		most = max(most, tag.RowsAffected())
	}
	if most < forgetBatch {
		if _, err = s.pool.Exec(ctx, forgetLeases, s.cfg.Horizon); err == nil {
			_, err = s.pool.Exec(ctx, forgetPledges)
		}
	}
	return most, err
}
