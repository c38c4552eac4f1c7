package wire_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"sluice/temporalpath/wire"
)

// That no type offers the update is not the same as nothing said of it.
func TestSupportSaysOrLeavesOutUpdates(t *testing.T) {
	for text, want := range map[string]wire.Support{
		`{"types":["A"]}`:              {Types: []string{"A"}},
		`{"types":["A"],"updates":[]}`: {Types: []string{"A"}, Updates: []string{}},
		`{"types":["A"],"updates":["A"],"claim_check":["d"],"build_id":"b","batches":true}`: {Types: []string{"A"}, Updates: []string{"A"}, ClaimCheck: []string{"d"}, BuildID: "b", Batches: true},
	} {
		var got wire.Support
		if err := json.Unmarshal([]byte(text), &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %+v, %v", text, got, err)
		}
		if again, err := json.Marshal(want); err != nil || string(again) != text {
			t.Errorf("%+v is written as %s, %v", want, again, err)
		}
	}
}
