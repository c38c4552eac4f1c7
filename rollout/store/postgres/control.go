package postgres

import (
	"time"

	"github.com/jackc/pgx/v5"

	"sluice/rollout"
)

// control is the control row as of now.
type control struct {
	now       time.Time
	migration string
	policy    rollout.Policy
	mark      rollout.Exposure
	least     int // the oldest layout whose builds may use the tables
}

const readControl = `SELECT clock_timestamp(), migration, policy_epoch, flag, plan, brake, shadow, kill, mark, least FROM sluice_control WHERE one`

func scanControl(from pgx.Row) (control, error) {
	var c control
	p := &c.policy
	err := from.Scan(&c.now, &c.migration, &p.Epoch, &p.Flag, &p.Plan, &p.Brake, &p.Shadow, &p.Kill, &c.mark, &c.least)
	return c, err
}

// holds reports whether the policy in force says what want says. Its epoch is the
// database's.
func (c *control) holds(want rollout.Policy) bool {
	want.Epoch = c.policy.Epoch
	return c.policy == want
}
