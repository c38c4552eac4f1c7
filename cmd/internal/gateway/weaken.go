//go:build !chaos

package gateway

import (
	"errors"

	"sluice/router/claims"
)

// withoutVariable asks for a gateway without its protection, which only a build
// for the chaos harness can be.
const withoutVariable = "SLUICE_CHAOS_WITHOUT"

func (g *Gateway) weakened(store claims.Store) (claims.Store, error) {
	if _, asked := g.options.Lookup(withoutVariable); asked {
		return nil, errors.New(withoutVariable + " is set: this build does not run without its protection")
	}
	return store, nil
}
