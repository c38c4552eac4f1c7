package stores

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// DefaultNamespace is the first part of the names of tables and keys unless the
// DSN says otherwise.
const DefaultNamespace = "ingestion"

// openTimeout bounds how long Open waits for a store to answer.
const openTimeout = 10 * time.Second

// location is a DSN taken apart.
type location struct {
	scheme    string
	address   string // what the technology's own client reads
	namespace string
	retention time.Duration
	kind      Kind
}

// table is the name under which the location's records are kept.
func (l location) table() string { return l.namespace + "_" + string(l.kind) }

// Open opens the store of one kind and makes its table where there is none. The
// DSN is one of
//
//	sqlite:PATH
//	postgres://USER@HOST/DATABASE
//	redis://HOST:PORT/DATABASE      (rediss:// with TLS)
//
// with the parameters of the technology's own client after "?", and two of
// ours: namespace (default DefaultNamespace), which keeps stores in one
// database apart, and retention (default DefaultRetention, a Go duration). A
// Redis store is as durable as the server's own settings make it.
//
// Open waits for the store at most ten seconds. Its errors never hold a
// password.
func Open(ctx context.Context, dsn string, kind Kind) (Handle, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	handle, err := open(ctx, dsn, kind)
	if err != nil {
		return nil, fmt.Errorf("%s store: %w", kind, err)
	}
	return handle, nil
}

func open(ctx context.Context, dsn string, kind Kind) (Handle, error) {
	if !slices.Contains(Kinds(), kind) {
		return nil, fmt.Errorf("unknown kind; name one of %v", Kinds())
	}
	at, err := parseDSN(dsn)
	if err != nil {
		return nil, err
	}
	at.kind = kind
	switch at.scheme {
	case "sqlite":
		return openSQLite(ctx, at)
	case "postgres", "postgresql":
		return openPostgres(ctx, at)
	default:
		return openRedis(ctx, at)
	}
}

// CheckDSN returns what Open would find wrong with the DSN itself, without asking anybody.
func CheckDSN(dsn string) error {
	at, err := parseDSN(dsn)
	if err != nil {
		return err
	}
	switch at.scheme {
	case "sqlite":
	case "postgres", "postgresql":
		_, err = parsePostgres(at)
	default:
		_, err = parseRedis(at)
	}
	return err
}

var errScheme = errors.New("the DSN must begin with sqlite:, postgres://, redis:// or rediss://")

// parseDSN takes our own parameters out of dsn and leaves the rest as it is.
func parseDSN(dsn string) (location, error) {
	at := location{namespace: DefaultNamespace, retention: DefaultRetention}
	scheme, _, found := strings.Cut(dsn, ":")
	if !found || !slices.Contains([]string{"sqlite", "postgres", "postgresql", "redis", "rediss"}, scheme) {
		return at, errScheme
	}
	at.scheme = scheme
	base, rawQuery, _ := strings.Cut(dsn, "?")
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return at, fmt.Errorf("the parameters after ? in the %s DSN cannot be read: write them as in a URL", scheme)
	}
	if err := at.take(query); err != nil {
		return at, err
	}
	at.address = base
	if len(query) > 0 {
		at.address += "?" + query.Encode()
	}
	return at, nil
}

var namespaceForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)

// take reads our own parameters and removes them from query.
func (l *location) take(query url.Values) error {
	if query.Has("namespace") {
		l.namespace = query.Get("namespace")
		if !namespaceForm.MatchString(l.namespace) {
			return fmt.Errorf("namespace %q: use 1 to 32 of a-z, 0-9 and _, a letter first", l.namespace)
		}
	}
	if query.Has("retention") {
		keep, err := time.ParseDuration(query.Get("retention"))
		if err != nil || keep < time.Millisecond {
			return fmt.Errorf("retention %q: write a Go duration of 1ms or more, such as 24h", query.Get("retention"))
		}
		l.retention = keep
	}
	query.Del("namespace")
	query.Del("retention")
	return nil
}
