package shadowruns

import (
	"errors"
	"fmt"

	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/proto"

	"sluice/rollout"
	"sluice/temporalpath/wire"
)

// Encode returns the twin as it travels.
func Encode(t Twin) (w wire.Twin, err error) {
	if w.First, err = proto.Marshal(t.First); err == nil && t.Second != nil {
		w.Second, err = proto.Marshal(t.Second)
	}
	return w, err
}

// decodeTwins undoes Encode.
func decodeTwins(all []wire.Twin) ([]Twin, error) {
	twins := make([]Twin, len(all))
	for i, w := range all {
		twins[i].First = &workflowservice.StartWorkflowExecutionRequest{}
		if err := proto.Unmarshal(w.First, twins[i].First); err != nil {
			return nil, err
		}
		if len(w.Second) == 0 {
			continue
		}
		twins[i].Second = &workflowservice.StartWorkflowExecutionRequest{}
		if err := proto.Unmarshal(w.Second, twins[i].Second); err != nil {
			return nil, err
		}
	}
	return twins, nil
}

// encodeEnds returns the ends as they travel. After a first attempt nobody knows how long
// a run was waited for, and what is late or there already may have been begun then.
func encodeEnds(all []End, first bool) (ends wire.Ends, err error) {
	ends.Ends = make([]wire.End, len(all))
	for i, end := range all {
		w := &ends.Ends[i]
		if w.First, err = encodeLeg(&end.First, first); err != nil {
			return wire.Ends{}, err
		}
		if end.Second == nil {
			continue
		}
		second, err := encodeLeg(end.Second, first)
		if err != nil {
			return wire.Ends{}, err
		}
		w.Second = &second
	}
	return ends, nil
}

func encodeLeg(leg *Leg, first bool) (w wire.Leg, err error) {
	w.RunID = leg.RunID
	switch {
	case first && errors.Is(leg.Err, rollout.ErrDuplicate):
		w.Duplicate = true
	case first && errors.Is(leg.Err, rollout.ErrNotAccepted):
		w.None = leg.Err.Error()
	case leg.Err != nil:
		w.Unknown = leg.Err.Error()
	}
	if first {
		w.Took = leg.Took
	}
	if leg.Closed != nil {
		w.Closed, err = proto.Marshal(leg.Closed)
	}
	return w, err
}

// Decode reads what a batch of n twins returned.
func Decode(ends *wire.Ends, n int) ([]End, error) {
	if len(ends.Ends) != n {
		return nil, fmt.Errorf("a batch of %d shadow runs returned %d ends", n, len(ends.Ends))
	}
	all := make([]End, n)
	for i, w := range ends.Ends {
		first, err := decodeLeg(&w.First)
		if err != nil {
			return nil, err
		}
		all[i].First = first
		if w.Second == nil {
			continue
		}
		second, err := decodeLeg(w.Second)
		if err != nil {
			return nil, err
		}
		all[i].Second = &second
	}
	return all, nil
}

func decodeLeg(w *wire.Leg) (Leg, error) {
	leg := Leg{RunID: w.RunID, Took: w.Took}
	switch {
	case w.Duplicate:
		leg.Err = rollout.ErrDuplicate
	case w.None != "":
		leg.Err = fmt.Errorf("%s: %w", w.None, rollout.ErrNotAccepted)
	case w.Unknown != "":
		leg.Err = errors.New(w.Unknown)
	case len(w.Closed) > 0:
		leg.Closed = &historypb.HistoryEvent{}
		return leg, proto.Unmarshal(w.Closed, leg.Closed)
	}
	return leg, nil
}
