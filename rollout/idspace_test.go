package rollout_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"sluice/rollout"
)

// named is a document and where it comes from.
type named struct{ space, tenant, docID string }

// identity is that of a document where spaces of ids have names.
func (n named) identity(t *testing.T, tenants bool) string {
	t.Helper()
	d := rollout.Document{DocID: n.docID}
	if tenants {
		var err error
		if d.Scope, err = rollout.TenantScope(n.tenant); err != nil {
			t.Fatal(err)
		}
	}
	d.Enter(n.space)
	return d.Identity()
}

// odd returns doc_ids, or tenants, that look like what is put before others.
func odd(random *rand.Rand) string {
	parts := []string{"%space:", "%space:a/", "%space:/", "%", "/", "a", "b", ":", "%25", "%2F", "space:", "é", "\x00", "25"}
	var b strings.Builder
	for range 1 + random.IntN(5) {
		b.WriteString(parts[random.IntN(len(parts))])
	}
	return b.String()
}

// Two documents have one identity only if space, tenant and doc_id are the same, whatever
// clients send; and every identity is one that operators can ask for.
func TestSpacesNeverShareADocument(t *testing.T) {
	for _, tenants := range []bool{false, true} {
		random := rand.New(rand.NewPCG(3, 5))
		owner := map[string]named{}
		for range 200_000 {
			n := named{space: []string{"", "a", "b", "25", "a-b", "space"}[random.IntN(6)], docID: odd(random)}
			if tenants {
				n.tenant = odd(random)
			}
			identity := n.identity(t, tenants)
			if other, taken := owner[identity]; taken && other != n {
				t.Fatalf("tenants %v: %q is %+v and %+v", tenants, identity, n, other)
			}
			owner[identity] = n
		}
	}
	longest := named{strings.Repeat("s", rollout.MaxIDSpace), strings.Repeat("%", rollout.MaxTenant), strings.Repeat("x", rollout.MaxDocID)}
	if err := rollout.CheckIdentity(longest.identity(t, true)); err != nil {
		t.Error(err)
	}
}

// In the space without a name a document is called what it always was.
func TestTheSpaceWithoutANameChangesNoIdentity(t *testing.T) {
	for _, id := range []string{"a", "a/b", "%25", "space:a/b", "%spac", " %space:", strings.Repeat("é", 256)} {
		if got := (named{docID: id}).identity(t, false); got != id {
			t.Errorf("%q is %q", id, got)
		}
		if got := (named{tenant: "%space:a/b", docID: id}).identity(t, true); got != "%25space:a%2Fb/"+id {
			t.Errorf("%q of a tenant is %q", id, got)
		}
	}
}

// The workflow ID of a document in a space tells the document, folded or not.
func TestWorkflowIDsOfSpaces(t *testing.T) {
	ids := rollout.WorkflowIDs{Prefix: "ingest"}
	key := named{space: "orders", docID: "doc"}.identity(t, false)
	if got := ids.Of(key, digested, 3); got != fmt.Sprintf("ingest/%%space:orders/doc/%s/3", digested) {
		t.Errorf("got %q", got)
	}
	for _, n := range []named{{space: "orders", docID: "a/b"}, {space: "orders", docID: strings.Repeat("x", 512)}, {space: "orders", tenant: "t/", docID: "a\x00"}} {
		key := n.identity(t, true)
		if got, _, _, ok := ids.Parse(ids.Of(key, digested, 3), key); !ok || got != key {
			t.Errorf("%q was read as %q, %v", key, got, ok)
		}
	}
}

func TestNamesOfSpaces(t *testing.T) {
	for name, good := range map[string]bool{
		"": true, "a": true, "Orders-2_b": true, strings.Repeat("a", 64): true,
		strings.Repeat("a", 65): false, "a/b": false, "a b": false, "ü": false, "%": false, ":": false, "a.b": false,
	} {
		if err := rollout.CheckIDSpace(name); (err == nil) != good || err != nil && !errors.Is(err, rollout.ErrIDSpace) {
			t.Errorf("%q: %v", name, err)
		}
	}
}
