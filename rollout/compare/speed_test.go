package compare

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
)

// typical returns an answer of about that many bytes, as services give them:
// objects in arrays, texts, numbers, times. With shuffled, members and elements
// come in another order.
func typical(size int, shuffled bool) []byte {
	random, other := rand.New(rand.NewPCG(1, 2)), rand.New(rand.NewPCG(3, 4))
	var items [][]byte
	for total := 0; total < size; {
		members := [][]byte{
			fmt.Appendf(nil, `"id":"%016x"`, random.Uint64()),
			fmt.Appendf(nil, `"created_at":"2026-01-02T03:%02d:%02d.%03dZ"`, random.IntN(60), random.IntN(60), random.IntN(1000)),
			fmt.Appendf(nil, `"text":"The quick brown fox jumps over the lazy dog, \"%d\" times."`, random.IntN(1000)),
			fmt.Appendf(nil, `"score":%.6f`, random.Float64()),
			fmt.Appendf(nil, `"embedding":[%.5f,%.5f,%.5f,%.5f]`, random.Float64(), random.Float64(), random.Float64(), random.Float64()),
			fmt.Appendf(nil, `"meta":{"lang":"en","pages":%d,"ok":true,"parent":null}`, random.IntN(100)),
		}
		if shuffled {
			other.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
		}
		item := append(append([]byte("{"), bytes.Join(members, []byte(","))...), '}')
		items = append(items, item)
		total += len(item)
	}
	return append(append([]byte(`{"status":"ok","items":[`), bytes.Join(items, []byte(","))...), "]}"...)
}

func BenchmarkCompare(b *testing.B) {
	plain, shuffled := typical(10_000, false), typical(10_000, true)
	changed := bytes.Replace(plain, []byte(`"lang":"en"`), []byte(`"lang":"de"`), 3)
	rules := []Rule{
		{Effect: Ignore, Pattern: "/**/created_at"}, {Effect: Ignore, Pattern: "/items/*/id"},
		{Effect: Tolerance, Pattern: "/items/*/score", Absolute: 0.001},
	}
	rerun := bytes.ReplaceAll(bytes.ReplaceAll(plain, []byte(`"id":"`), []byte(`"id":"f`)), []byte(`"2026-01`), []byte(`"2026-02`))
	spaced := append(bytes.Clone(plain), ' ')
	for _, c := range []struct {
		name            string
		primary, shadow []byte
		rules           []Rule
	}{
		{"equal-bytes", plain, plain, nil},
		{"equal", plain, spaced, nil},
		{"equal-rules", plain, spaced, rules},
		{"ignored-differ", plain, rerun, rules},
		{"three-differences", plain, changed, rules},
		{"members-reordered", plain, shuffled, rules},
		{"set", plain, reversed(plain), append([]Rule{{Effect: Set, Pattern: "/items"}}, rules...)},
		{"order", plain, reversed(plain), nil},
	} {
		b.Run(c.name, func(b *testing.B) {
			comparer, err := New(Config{Rules: c.rules})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.SetBytes(int64(len(c.primary) + len(c.shadow)))
			primary, shadow := jsonAnswer(string(c.primary)), jsonAnswer(string(c.shadow))
			for b.Loop() {
				comparer.Compare(primary, shadow)
			}
		})
	}
}

// reversed returns the typical answer with its items the other way round.
func reversed(body []byte) []byte {
	head, tail := []byte(`{"status":"ok","items":[`), []byte(`]}`)
	items := bytes.Split(body[len(head):len(body)-len(tail)], []byte(`},{"id"`))
	for i := range items {
		if i > 0 {
			items[i] = append([]byte(`{"id"`), items[i]...)
		}
		if i < len(items)-1 {
			items[i] = append(bytes.Clone(items[i]), '}')
		}
	}
	for i, j := 0, len(items)-1; i < j; i, j = i+1, j-1 {
		items[i], items[j] = items[j], items[i]
	}
	return append(append(bytes.Clone(head), bytes.Join(items, []byte(","))...), tail...)
}
