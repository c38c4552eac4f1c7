package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"sluice/rollout"
)

// lane commits the Updates of the documents that hash to it, one batch at a time:
// so Updates of one document never race within a process.
type lane struct {
	store *Store
	in    chan *ticket // unbuffered: what was handed over is answered
	slot  int16        // where it keeps its books
}

func (l *lane) run() {
	for {
		select {
		case <-l.store.stop.Done():
			return
		case t := <-l.in:
			l.store.serve(l.collect(t), l.slot)
		}
	}
}

// collect takes what waits besides the first, up to MaxBatch.
func (l *lane) collect(first *ticket) []*document {
	found := map[key]*document{}
	docs := []*document{}
	t := first
	for n := 1; ; n++ {
		d := found[t.key]
		if d == nil {
			d = &document{id: t.docID, key: t.key}
			found[t.key] = d
			docs = append(docs, d)
		}
		d.tickets, d.results = append(d.tickets, t), append(d.results, nil)
		if n == l.store.cfg.MaxBatch {
			break
		}
		select {
		case t = <-l.in:
			continue
		default:
		}
		break
	}
	slices.SortFunc(docs, func(a, b *document) int { return slices.Compare(a.key[:], b.key[:]) })
	return docs
}

// serve answers every ticket of a batch.
func (s *Store) serve(docs []*document, slot int16) {
	begin := time.Now()
	for tries := 0; len(docs) > 0; tries++ {
		left, err := s.attempt(docs, slot)
		switch {
		case err != nil && errors.Is(err, ErrUnknown) && !limbo(left):
			for _, d := range left {
				d.limbo = true // the next attempt looks how it went
			}
		case err != nil && !passing(err), len(left) > 0 && time.Since(begin) > 2*s.cfg.Timeout:
			if err == nil {
				err = fmt.Errorf("%w (gave up after %d attempts)", ErrContended, tries+1)
			}
			s.lost(err)
			for _, d := range left {
				d.fail(err)
				d.finish()
			}
			return
		}
		docs = left
		time.Sleep(pause(tries))
	}
}

// pause lets others finish before a document that is fought over is tried again.
func pause(tries int) time.Duration {
	if tries < 3 {
		return 0
	}
	return rand.N(time.Duration(min(tries, 20)) * time.Millisecond)
}

// limbo reports whether the outcome of an earlier attempt is still open.
func limbo(docs []*document) bool {
	return slices.ContainsFunc(docs, func(d *document) bool { return d.limbo })
}

// attempt reads the documents, runs their changes and commits them. It returns
// those that it did not answer.
func (s *Store) attempt(docs []*document, slot int16) ([]*document, error) {
	ctx, cancel := s.bounded(context.Background())
	defer cancel()
	conn, read, err := s.readAlive(ctx, docs)
	if err != nil {
		return docs, fmt.Errorf("%w: read: %w", ErrAway, err)
	}
	defer conn.Release()
	if err := s.mine(&read.control); err != nil {
		return docs, err
	}
	at := rollout.Instant{Now: read.now, Policy: &read.policy, Horizon: s.cfg.Horizon}
	var changed []*document
	for _, d := range docs {
		if d.found(read.rows[d.key]) && d.run(at) {
			changed = append(changed, d)
		} else {
			d.finish()
		}
	}
	if len(changed) == 0 {
		return nil, nil
	}
	if s.frozen != nil {
		s.frozen()
	}
	won, err := s.commit(conn, read, changed, slot)
	if err != nil {
		return changed, err
	}
	return slices.DeleteFunc(changed, func(d *document) bool {
		if won[d.key] {
			d.finish()
		}
		return won[d.key]
	}), nil
}

// readAlive reads on a connection that works. Those in the pool may be to a
// database that has been restarted since; a read can be repeated.
func (s *Store) readAlive(ctx context.Context, docs []*document) (*pgxpool.Conn, reading, error) {
	for again := false; ; again = true {
		conn, err := s.pool.Acquire(ctx)
		if err != nil {
			return nil, reading{}, err
		}
		read, err := s.read(ctx, conn, docs)
		if err == nil {
			return conn, read, nil
		}
		broken := conn.Conn().IsClosed()
		conn.Release()
		if !broken || again || ctx.Err() != nil {
			return nil, reading{}, err
		}
		s.pool.Reset()
	}
}
