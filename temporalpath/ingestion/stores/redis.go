package stores

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// redisStore keeps the writes of one document in one hash, so that each call is
// one script on one key and works on a cluster too. A write has the field "m" +
// its name, which holds its state (L present, U undone) and the time in
// milliseconds, and while it is present the field "d" + its name with its data.
type redisStore struct {
	client *redis.Client
	at     location
}

func parseRedis(at location) (*redis.Options, error) {
	options, err := redis.ParseURL(at.address)
	if err != nil {
		// The client's error quotes the DSN, and with it the password.
		return nil, fmt.Errorf("the %s:// DSN cannot be read: write %s://USER:PASSWORD@HOST:PORT/DATABASE, special characters percent-encoded", at.scheme, at.scheme)
	}
	return options, nil
}

func openRedis(ctx context.Context, at location) (Handle, error) {
	options, err := parseRedis(at)
	if err != nil {
		return nil, err
	}
	options.ContextTimeoutEnabled = true // or a frozen server outlasts the caller's deadline
	client := redis.NewClient(options)
	if err := client.Ping(ctx).Err(); err != nil {
		return nil, errors.Join(fmt.Errorf("no Redis at %s (does it run?): %w", options.Addr, err), client.Close())
	}
	return &redisStore{client: client, at: at}, nil
}

func (s *redisStore) Put(ctx context.Context, rec Record) error {
	if err := rec.check(); err != nil {
		return err
	}
	now, keep := time.Now().UnixMilli(), s.at.retention.Milliseconds()
	stored, err := redisPut.Run(ctx, s.client, s.key(rec.DocID), redisName(rec.Ref), now, keep, rec.Data).Bool()
	if err != nil {
		return fmt.Errorf("put document %q: %w", rec.DocID, err)
	}
	if !stored {
		return fmt.Errorf("document %q: %w", rec.DocID, ErrUndone)
	}
	return nil
}

func (s *redisStore) Undo(ctx context.Context, ref Ref) error {
	if err := ref.check(); err != nil {
		return err
	}
	now, keep := time.Now().UnixMilli(), s.at.retention.Milliseconds()
	if err := redisUndo.Run(ctx, s.client, s.key(ref.DocID), redisName(ref), now, keep).Err(); err != nil {
		return fmt.Errorf("undo document %q: %w", ref.DocID, err)
	}
	return nil
}

func (s *redisStore) Get(ctx context.Context, docID string) (Record, error) {
	found, err := redisGet.Run(ctx, s.client, s.key(docID)).StringSlice()
	if err != nil {
		return Record{}, fmt.Errorf("get document %q: %w", docID, err)
	}
	if len(found) != 2 {
		return Record{}, fmt.Errorf("document %q: %w", docID, ErrNotFound)
	}
	ref, err := redisRef(docID, found[0])
	if err != nil {
		return Record{}, err
	}
	return Record{Ref: ref, Data: []byte(found[1])}, nil
}

// Count walks over the keys. On a cluster it sees one node's share only.
func (s *redisStore) Count(ctx context.Context) (int, error) {
	n := 0
	keys := s.client.Scan(ctx, 0, s.at.table()+":*", 1000).Iterator()
	seen := map[string]bool{} // a scan may name a key twice
	for keys.Next(ctx) {
		if seen[keys.Val()] {
			continue
		}
		seen[keys.Val()] = true
		found, err := redisGet.Run(ctx, s.client, []string{keys.Val()}).StringSlice()
		if err != nil {
			return 0, fmt.Errorf("count documents: %w", err)
		}
		if len(found) == 2 {
			n++
		}
	}
	return n, keys.Err()
}

func (s *redisStore) Close() error { return s.client.Close() }

func (s *redisStore) key(docID string) []string { return []string{s.at.table() + ":" + docID} }

// redisName returns the write's name, of which the greater is the later: the
// digits are of fixed width, and hexadecimal sorts alike in every locale. A
// number would not do: Lua's hold 53 bits.
func redisName(ref Ref) string {
	return fmt.Sprintf("%019d:%s", ref.Sequence, hex.EncodeToString([]byte(ref.Intent)))
}

func redisRef(docID, name string) (Ref, error) {
	digits, coded, _ := strings.Cut(name, ":")
	sequence, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return Ref{}, fmt.Errorf("document %q has the unreadable version %q in Redis: %w", docID, name, err)
	}
	intent, err := hex.DecodeString(coded)
	if err != nil {
		return Ref{}, fmt.Errorf("document %q has the unreadable version %q in Redis: %w", docID, name, err)
	}
	return Ref{DocID: docID, Intent: string(intent), Sequence: sequence}, nil
}
