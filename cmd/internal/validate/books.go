package validate

import (
	"encoding/json"

	"sluice/rollout"
	"sluice/rollout/evidence"
)

// books counts exchanges into shares of the evidence, with samples of those that
// differ.
type books struct{ by evidence.By }

// Compared returns the share with one exchange more.
func (b books) Compared(text json.RawMessage, e *rollout.Exchange) (json.RawMessage, error) {
	share, err := shareOf(text)
	if err != nil {
		return nil, err
	}
	share.Compared(&b.by, e)
	return share.MarshalJSON()
}

// Dropped returns the share with one more request that was not compared.
func (b books) Dropped(text json.RawMessage, route string, reason rollout.DropReason) (json.RawMessage, error) {
	share, err := shareOf(text)
	if err != nil {
		return nil, err
	}
	share.Dropped(route, "", reason)
	return share.MarshalJSON()
}

// Sum adds two shares.
func (b books) Sum(one, other json.RawMessage) (json.RawMessage, error) {
	share, err := shareOf(one)
	if err == nil && !none(other) {
		err = share.Add(other)
	}
	if err != nil {
		return nil, err
	}
	return share.MarshalJSON()
}

func shareOf(text json.RawMessage) (*evidence.Share, error) {
	share := evidence.NewShare()
	if none(text) {
		return share, nil
	}
	return share, share.Add(text)
}

func none(text json.RawMessage) bool { return len(text) == 0 || string(text) == "null" }
