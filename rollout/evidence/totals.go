package evidence

import (
	"context"

	"sluice/rollout/compare/certificate"
	"sluice/rollout/compare/noise"
)

// Totals counts what all gateways' mirrors compared so far, and what of it is a
// mismatch by what is known of noise now. Fewer mismatches than before means that
// some turned out to be noise.
func (r *Reader) Totals(ctx context.Context) (compared, mismatched uint64, err error) {
	sum, _, err := r.sum(ctx)
	if err != nil {
		return 0, 0, err
	}
	for name := range sum.Books {
		counts := sum.Tally.Route(name)
		var e certificate.Evidence
		e.Add(&counts.AB, noise.Judge(counts, r.Marks))
		compared += e.Compared
		mismatched += e.Mismatches
	}
	return compared, mismatched, nil
}
