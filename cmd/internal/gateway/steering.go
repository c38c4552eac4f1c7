package gateway

import (
	"context"
	"fmt"

	"sluice/router/operator"
)

// adrift stands where a control loop would be, in a gateway without one.
type adrift struct{}

// Steer implements operator.Steering.
func (adrift) Steer(context.Context, operator.PlanAct) error { return errAdrift() }

// Confirm implements operator.Steering.
func (adrift) Confirm(context.Context, operator.Harm) error { return errAdrift() }

func errAdrift() error {
	return fmt.Errorf("%w: this gateway has no control loop: the flag and the brake alone rule", operator.ErrRefused)
}
