package compare

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
)

// What one comparison has found is not touched by others, though they work in the same
// memory.
func TestMemoryIsNobodysForLong(t *testing.T) {
	rules := []Rule{{Effect: Ignore, Pattern: "/**/created_at"}, {Effect: Set, Pattern: "/items"}}
	shared, err := New(Config{Rules: rules})
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for part := range 4 {
		group.Go(func() {
			for i := range 50 {
				body := typical(300*(1+(part+i)%9), false)
				other := bytes.Replace(body, []byte(`"pages":`), fmt.Appendf(nil, `"pages%d":`, i), 2)
				alone, err := New(Config{Rules: rules})
				if err != nil {
					t.Error(err)
					return
				}
				left, right := jsonAnswer(string(body)), jsonAnswer(string(other))
				got, want := shared.Compare(left, right), alone.Compare(left, right)
				shared.Compare(right, jsonAnswer(`{"another":[1,2,3]}`))
				if want.Class != ClassMismatch || fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("%v, alone %v", got, want)
				}
			}
		})
	}
	group.Wait()
}

// The room for a huge answer is not kept.
func TestMemoryOfTheHugeIsNotKept(t *testing.T) {
	kept := larger(make([]node, 3, 8), make([]node, maxKept+1))
	if cap(kept) != 8 || len(kept) != 0 {
		t.Errorf("room for %d nodes is kept, %d in use", cap(kept), len(kept))
	}
}
