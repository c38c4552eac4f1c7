package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"go.uber.org/zap"
)

const (
	listenAgain = time.Second
	// listenCheck is how long the connection is believed to live in silence.
	listenCheck = 15 * time.Second
)

// Changes delivers a wake-up whenever another gateway has changed the policy, and
// when such a change may have been missed. Several can come as one. It is never
// closed. The caller also polls: a pooler or a network may swallow them.
func (s *Store) Changes() <-chan struct{} { return s.changes }

// listen keeps a connection of its own that hears of changes.
func (s *Store) listen() {
	out := outage{log: s.cfg.Log, what: "policy changes of other gateways are found by polling alone"}
	for s.stop.Err() == nil {
		out.note(s.hear(&out))
		select {
		case <-s.stop.Done():
		case <-time.After(listenAgain):
		}
	}
}

// hear wakes the listener up until the connection breaks.
func (s *Store) hear(out *outage) error {
	conn, err := s.listener()
	if err != nil {
		return err
	}
	defer s.hangUp(conn)
	out.note(nil)
	s.wake()
	for {
		ctx, cancel := context.WithTimeout(s.stop, listenCheck)
		heard, err := conn.WaitForNotification(ctx)
		cancel()
		switch {
		case s.stop.Err() != nil:
			return nil
		case err == nil && heard.Payload != s.self:
			s.wake()
		case err != nil && !pgconn.Timeout(err):
			return err
		case err != nil:
			ctx, cancel := s.bounded(s.stop)
			err = conn.Ping(ctx)
			cancel()
			if err != nil {
				return err
			}
		}
	}
}

// listener is a connection that hears of changes.
func (s *Store) listener() (*pgx.Conn, error) {
	ctx, cancel := s.bounded(s.stop)
	defer cancel()
	config := s.pool.Config()
	conn, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err != nil {
		return nil, err
	}
	if err = config.AfterConnect(ctx, conn); err == nil {
		_, err = conn.Exec(ctx, "LISTEN "+channel)
	}
	if err != nil {
		s.hangUp(conn)
		return nil, err
	}
	return conn, nil
}

// hangUp closes a connection on which nothing is under way.
func (s *Store) hangUp(conn *pgx.Conn) {
	ctx, cancel := s.bounded(context.Background())
	defer cancel()
	_ = conn.Close(ctx)
}

func (s *Store) wake() {
	select {
	case s.changes <- struct{}{}:
	default:
	}
}

// outage logs a run of failures when it begins and when it ends.
type outage struct {
	log  *zap.Logger
	what string
	on   bool
}

func (o *outage) note(err error) {
	switch {
	case err != nil && !o.on:
		o.log.Warn("the claims database does not answer: "+o.what, zap.Error(err))
	case err == nil && o.on:
		o.log.Info("the claims database answers again, which ended this: " + o.what)
	}
	o.on = err != nil
}
