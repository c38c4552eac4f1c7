package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"sluice/rollout"
)

const (
	keepAnswer = `INSERT INTO sluice_answers (key, answer, expires) VALUES ($1, $2, ` + nowMilli + ` + $3)
		ON CONFLICT (key) DO UPDATE SET answer = EXCLUDED.answer, expires = EXCLUDED.expires`
	keptAnswer = `SELECT answer FROM sluice_answers WHERE key = $1`
)

// KeepAnswer stores an answer of legacy's, durably and for all gateways. One that
// is there already is replaced. It fails with ErrAway, ErrMigration or ErrClosed.
func (s *Store) KeepAnswer(ctx context.Context, key rollout.AnswerKey, answer *rollout.Answer) error {
	sum, encoded := key.Sum(), rollout.AppendAnswer(nil, answer)
	return s.answers(ctx, func(ctx context.Context) error {
		_, err := s.pool.Exec(ctx, keepAnswer, sum[:], encoded, s.cfg.KeepAnswers.Milliseconds())
		return err
	})
}

// KeptAnswer returns the answer; false if there is none, or none any more. It
// fails as KeepAnswer does.
func (s *Store) KeptAnswer(ctx context.Context, key rollout.AnswerKey) (answer rollout.Answer, found bool, err error) {
	sum := key.Sum()
	var encoded []byte
	err = s.answers(ctx, func(ctx context.Context) error {
		return s.pool.QueryRow(ctx, keptAnswer, sum[:]).Scan(&encoded)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return rollout.Answer{}, false, nil
	}
	if err == nil {
		answer, err = rollout.ParseAnswer(encoded)
	}
	return answer, err == nil, err
}

// answers makes one exchange about an answer, which may be repeated.
func (s *Store) answers(ctx context.Context, exchange func(context.Context) error) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	err := s.retry(ctx, func() error { return exchange(ctx) })
	if err == nil || errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrAway, err)
}
