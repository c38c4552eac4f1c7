package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"
)

// Defaults of Config.
const (
	DefaultHorizon     = 15 * time.Minute
	DefaultMaxBatch    = 256
	DefaultCommitters  = 2
	DefaultTimeout     = 2 * time.Second
	DefaultLeaderTTL   = 2 * time.Second
	DefaultForgetEvery = time.Second
)

// Config says which database is used, and how.
type Config struct {
	// DSN is postgres://USER:PASSWORD@HOST:PORT/DATABASE or the form key=value.
	// With search_path=NAME, deployments can share a database.
	DSN string
	// Migration is the salt of the split. It is stored; another one is refused
	// while claims are open.
	Migration string
	// Horizon is how long a settled claim is kept; 0 means DefaultHorizon.
	Horizon time.Duration
	// KeepAnswers is how long legacy's answers are kept; 0 means the horizon.
	KeepAnswers time.Duration
	// MaxBatch bounds the Updates of one transaction; 0 means DefaultMaxBatch.
	MaxBatch int
	// Committers is how many transactions are under way at once at most; 0 means
	// DefaultCommitters.
	Committers int
	// Timeout bounds each statement; 0 means DefaultTimeout. Twice that bounds an
	// exchange in which the database falls silent, and for how long an Update is
	// repeated while others change the same document.
	Timeout time.Duration
	// LeaderTTL is how long a leader that stops offering stays leader; 0 means
	// DefaultLeaderTTL.
	LeaderTTL time.Duration
	// ForgetEvery is the time between two looks for holdings whose horizon has
	// passed; 0 means DefaultForgetEvery.
	ForgetEvery time.Duration
	// Log may be nil.
	Log *zap.Logger
}

// spareConns are for what is no Update: legacy's answers among them.
const spareConns = 5

// pool checks the configuration, fills in the defaults and returns a pool, which
// connects when it is used. Its errors hold no password.
func (cfg *Config) pool(ctx context.Context) (*pgxpool.Pool, error) {
	pc, err := cfg.parse()
	if err != nil {
		return nil, err
	}
	pc.MaxConns = int32(cfg.Committers + spareConns)
	pc.PingTimeout = cfg.Timeout
	cc := pc.ConnConfig
	if cc.ConnectTimeout == 0 || cc.ConnectTimeout > cfg.Timeout {
		cc.ConnectTimeout = cfg.Timeout
	}
	if cc.RuntimeParams["application_name"] == "" {
		cc.RuntimeParams["application_name"] = "sluice"
	}
	later := cfg.session(cc.RuntimeParams)
	pc.AfterConnect = later.apply
	return pgxpool.NewWithConfig(ctx, pc)
}

// session is what each session is set to; parameters are those of the DSN, of which
// it leaves what belongs into the startup message.
func (cfg *Config) session(parameters map[string]string) settings {
	limit := strconv.FormatInt(cfg.Timeout.Milliseconds(), 10)
	later := afterStartup(parameters)
	for _, name := range []string{"statement_timeout", "idle_in_transaction_session_timeout", "transaction_timeout"} {
		later.set(name, limit)
	}
	// Claims are looked up by key alone. A plan that was made while the table was
	// small would read it whole when it is not small any more.
	later.set("enable_seqscan", "off")
	later.set("jit", "off")
	// A gateway whose network went away in the middle of a message keeps its locks
	// until the server notices.
	later.set("tcp_keepalives_idle", "5")
	later.set("tcp_keepalives_interval", "2")
	later.set("tcp_keepalives_count", "3")
	// With a server-wide synchronous_commit=off a crash of the database forgets
	// claims that it acknowledged.
	later.set("synchronous_commit", "local")
	return later
}

// Check returns what Open would find wrong with the configuration itself, without asking
// the database.
func (cfg Config) Check() error {
	_, err := cfg.parse()
	return err
}

// parse checks the configuration, fills in the defaults and reads the DSN.
func (cfg *Config) parse() (*pgxpool.Config, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	pc, err := pgxpool.ParseConfig(cfg.DSN)
	if err != nil {
		// pgx quotes the DSN in its error, and hides the password only where it
		// finds it.
		return nil, errors.New("the DSN cannot be read: write postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=..., special characters percent-encoded")
	}
	return pc, nil
}

func (cfg *Config) check() error {
	switch {
	case cfg.DSN == "":
		return errors.New("the DSN is empty: write postgres://USER:PASSWORD@HOST:PORT/DATABASE")
	case cfg.Migration == "" || !text(cfg.Migration):
		return errors.New("the migration's salt is empty or not UTF-8")
	case cfg.Horizon < 0 || cfg.MaxBatch < 0 || cfg.Committers < 0 || cfg.Timeout < 0 || cfg.LeaderTTL < 0 || cfg.ForgetEvery < 0 || cfg.KeepAnswers < 0:
		return errors.New("horizon, batch, committers and times must not be negative")
	case cfg.Timeout > 0 && cfg.Timeout < time.Millisecond:
		return fmt.Errorf("the timeout %v is shorter than a millisecond", cfg.Timeout)
	}
	orDefault(&cfg.Horizon, DefaultHorizon)
	orDefault(&cfg.KeepAnswers, cfg.Horizon)
	orDefault(&cfg.MaxBatch, DefaultMaxBatch)
	orDefault(&cfg.Committers, DefaultCommitters)
	orDefault(&cfg.Timeout, DefaultTimeout)
	orDefault(&cfg.LeaderTTL, DefaultLeaderTTL)
	orDefault(&cfg.ForgetEvery, DefaultForgetEvery)
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	return nil
}

func orDefault[T comparable](value *T, otherwise T) {
	var zero T
	if *value == zero {
		*value = otherwise
	}
}

// text reports whether PostgreSQL can hold s as text.
func text(s string) bool {
	for i := range len(s) {
		if s[i] == 0 {
			return false
		}
	}
	return utf8.ValidString(s)
}

// where names the database, without the password.
func where(pool *pgxpool.Pool) string {
	cc := pool.Config().ConnConfig
	return fmt.Sprintf("PostgreSQL at %s:%d, database %q, user %q", cc.Host, cc.Port, cc.Database, cc.User)
}

// final reports whether repeating what failed with err is pointless until
// somebody changes the configuration or the database.
func final(err error) bool {
	var refused *pgconn.PgError
	if !errors.As(err, &refused) {
		return errors.Is(err, ErrMigration) || errors.Is(err, errLayout) || errors.Is(err, errPooled)
	}
	switch refused.Code {
	case "3D000", "3F000", "42501": // no such database, no such schema, may not
		return true
	}
	return refused.Code[:2] == "28" // may not log in
}
