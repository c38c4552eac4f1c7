package router_test

import (
	"net/http"
	"testing"

	"sluice/rollout"
)

// What Temporal cannot hold counts in neither arm, or legacy's has documents that
// Temporal's never gets, and the sample is not fair.
func TestOversizeCountsOnNeitherArm(t *testing.T) {
	for percent, arm := range map[float64]rollout.Path{0: rollout.Legacy, 100: rollout.Temporal} {
		d := openDoor(t, at(percent), func(s *setup) {
			s.temporal.oversize = func(doc *rollout.Document) bool { return doc.DocID == "large" }
		})
		for id, counts := range map[string]bool{"small": true, "large": false} {
			d.post(document(id)).want(t, http.StatusOK, "")
			h, err := d.records.Get(t.Context(), id)
			if err != nil || len(h.Claims) != 1 {
				t.Fatalf("%+v, %v", h, err)
			}
			if trial := h.Claims[0].Trial; trial.Counts != counts || counts && trial.Arm != arm {
				t.Errorf("at %v %%, %s: %+v", percent, id, trial)
			}
		}
	}
}
