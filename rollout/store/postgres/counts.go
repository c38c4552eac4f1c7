package postgres

import (
	"github.com/jackc/pgx/v5"

	"sluice/rollout"
)

// countsSchema is of a table that came later; see answersSchema. Each statement that
// stores claims adds rows of its own, so nobody waits for anybody, and a decision
// takes them away. So the table is nearly empty, and nearly all that was ever in it
// is garbage. It keeps its size: to cut it would lock it.
const countsSchema = `
CREATE TABLE IF NOT EXISTS sluice_counts (
	epoch bigint NOT NULL,
	what  integer NOT NULL,
	times bigint NOT NULL
) WITH (autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_cost_delay = 0,
	autovacuum_analyze_threshold = 1000000, vacuum_truncate = false)`

const (
	takeCounts = `WITH taken AS (DELETE FROM sluice_counts RETURNING epoch, what, times)
		SELECT epoch, what, sum(times)::bigint FROM taken GROUP BY epoch, what`

	readCounts = `SELECT epoch, what, sum(times)::bigint FROM sluice_counts GROUP BY epoch, what`

	// foldCounts makes few rows of many while nobody decides. It waits for nobody
	// who does.
	foldCounts = `WITH free AS (
			SELECT FROM sluice_desk WHERE (SELECT count(*) FROM (SELECT FROM sluice_counts LIMIT $1) AS c) = $1 FOR UPDATE SKIP LOCKED
		), taken AS (
			DELETE FROM sluice_counts WHERE EXISTS (SELECT FROM free) RETURNING epoch, what, times
		) INSERT INTO sluice_counts SELECT epoch, what, sum(times)::bigint FROM taken GROUP BY epoch, what`

	// foldAt is how many rows are many.
	foldAt = 20_000
)

// counted are what the changes of some documents count, the way a statement takes
// them.
type counted struct {
	docs          [][]byte
	epochs, times []int64
	whats         []int32
}

func (c *counted) add(d *document) {
	for _, n := range d.counts {
		c.docs = append(c.docs, d.key[:])
		c.epochs = append(c.epochs, int64(n.Epoch))
		c.whats = append(c.whats, int32(n.What()))
		c.times = append(c.times, int64(n.Times))
	}
}

// after appends the counts to a statement's parameters.
func (c *counted) after(others []any) []any {
	return append(others[:len(others):len(others)], c.docs, c.epochs, c.whats, c.times)
}

// scanCounts reads the answer to takeCounts or readCounts.
func scanCounts(rows pgx.Rows) (counts []rollout.Count, err error) {
	defer rows.Close()
	for rows.Next() {
		var epoch, times int64
		var what int32
		if err := rows.Scan(&epoch, &what, &times); err != nil {
			return nil, err
		}
		// An event of a later version says nothing to this one.
		if c, known := rollout.Unpack(uint64(epoch), uint32(what), uint64(times)); known {
			counts = append(counts, c)
		}
	}
	return counts, rows.Err()
}
