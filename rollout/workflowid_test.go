package rollout_test

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"sluice/rollout"
)

const millis = 1_785_000_000_000 // a life's number is the clock's

var digested = rollout.DigestIntent([16]byte{1})

func TestWorkflowIDIsReadFromTheRight(t *testing.T) {
	ids := rollout.WorkflowIDs{Prefix: "ingest"}
	if got := ids.Of("a/b", "k0", 3); got != "ingest/a/b/k0/3" {
		t.Errorf("got %q", got)
	}
	key, intent, life, ok := ids.Parse(ids.Of("a/b", digested, 3), "")
	if key != "a/b" || intent != digested || life != 3 || !ok {
		t.Errorf("read %q, %q, %d, %v", key, intent, life, ok)
	}
}

// An ID that fits is what it always was, to the last character; one more folds it. The
// characters count, for that is what a VARCHAR(255) counts.
func TestIDsThatFitAreNotFolded(t *testing.T) {
	ids := rollout.WorkflowIDs{Prefix: "ingest"}
	for _, letter := range []string{"d", "é", "文", "𝄞"} {
		room := 255 - len(ids.Of("", digested, millis))
		fits := strings.Repeat(letter, room)
		if got := ids.Of(fits, digested, millis); got != fmt.Sprintf("ingest/%s/%s/%d", fits, digested, millis) {
			t.Errorf("%s: it was folded: %q", letter, got)
		}
		long := fits + letter
		got := ids.Of(long, digested, millis)
		want := fmt.Sprintf("~sha256-%x/%s/%d", sha256.Sum256([]byte(long)), digested, millis)
		if !strings.HasPrefix(got, "ingest/"+letter+letter) || !strings.HasSuffix(got, want) || utf8.RuneCountInString(got) != 255 {
			t.Errorf("%s: %q, %d characters", letter, got, utf8.RuneCountInString(got))
		}
	}
}

// Whatever the key, the ID fits in what Temporal holds, is valid, never changes, and tells
// the document with the memo's help; and no other document has it.
func TestEveryKeyHasAnIDOfItsOwn(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	all := map[rollout.WorkflowIDs]int{
		{Prefix: "ingest"}: 255, {Prefix: strings.Repeat("p", 64)}: 255, {Prefix: "ingest", Max: 1000}: 1000,
	}
	for ids, limit := range all {
		owner := map[string]string{}
		for _, key := range awkward(random, ids) {
			id, shadow := ids.Of(key, digested, millis), ids.OfShadow(key, digested, "b")
			for _, made := range []string{id, shadow} {
				if n := utf8.RuneCountInString(made); n > limit || len(made) > 1000 || !utf8.ValidString(made) || strings.IndexByte(made, 0) >= 0 {
					t.Errorf("%q: %d characters, %d bytes: %q", key, n, len(made), made)
				}
				if other, taken := owner[made]; taken && other != key {
					t.Errorf("%q and %q share %q", key, other, made)
				}
				owner[made] = key
			}
			if got, intent, life, ok := ids.Parse(id, key); got != key || intent != digested || life != millis || !ok {
				t.Errorf("read %q, %q, %d, %v from %q", got, intent, life, ok, id)
			}
			if _, _, _, ok := ids.Parse(shadow, key); ok {
				t.Errorf("%q was taken for a real run's", shadow)
			}
		}
	}
}

// awkward returns keys of all lengths, some of which look like others folded.
func awkward(random *rand.Rand, ids rollout.WorkflowIDs) (keys []string) {
	alphabet := []rune("ab/~0\x00é文𝄞 %")
	for length := 1; length <= 512; length += 1 + length/16 {
		var b strings.Builder
		for b.Len() < length {
			b.WriteRune(alphabet[random.IntN(len(alphabet))])
		}
		key := b.String()
		keys = append(keys, key, strings.Repeat("x", length), key+"\x00")
	}
	for range 2 { // what others fold to, and what those fold to
		for _, key := range keys[:len(keys):len(keys)] {
			id := ids.Of(key, digested, millis)
			segment := strings.TrimSuffix(strings.TrimPrefix(id, ids.Prefix+"/"), fmt.Sprintf("/%s/%d", digested, millis))
			if segment != key {
				keys = append(keys, segment)
			}
		}
	}
	return keys
}

// A folded ID is nobody's without its memo, and no other's with a wrong one.
func TestFoldedIDNeedsItsMemo(t *testing.T) {
	ids := rollout.WorkflowIDs{Prefix: "ingest"}
	key := strings.Repeat("k", 300)
	id := ids.Of(key, digested, millis)
	for _, memo := range []string{"", key + "k", key[:250]} {
		if got, _, _, ok := ids.Parse(id, memo); ok {
			t.Errorf("with the memo %q it is %q", memo, got)
		}
	}
}
