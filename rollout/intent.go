package rollout

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"strconv"
	"strings"
)

// Intent names one wish to ingest one version of a document. A retry is the
// same intent; a changed document is a new one. 32 hexadecimal digits follow a
// letter that says who named it:
//
//	k  the client, by an Idempotency-Key
//	d  the request itself, by its digest
//	r  the digest and the life that it repeats: the same request came once more after
//	   another intent of the document, so it is a wish of its own
//	t  a request that changes the document by another way than the route; see Ask.Touch
type Intent string

// unkeyed reports whether the request itself names the intent.
func (i Intent) unkeyed() bool { return len(i) > 0 && (i[0] == 'd' || i[0] == 'r') }

// RepeatedIntent returns the intent of a request that was named before, whose last
// life was followed by other intents of the document.
func RepeatedIntent(before Intent, life uint64) Intent {
	h := sha256.New()
	writeField(h, string(before))
	writeField(h, strconv.FormatUint(life, 10))
	var sum [sha256.Size]byte
	return intent('r', h.Sum(sum[:0]))
}

// TouchIntent returns the intent of all requests of one kind, given by a method and a
// pattern, that change a route's documents by another way. None of them is a retry of
// another, so they need no names of their own.
func TouchIntent(route, method, pattern string) Intent {
	h := sha256.New()
	for _, field := range []string{route, method, pattern} {
		writeField(h, field)
	}
	var sum [sha256.Size]byte
	return intent('t', h.Sum(sum[:0]))
}

// KeyedIntent returns the intent that an Idempotency-Key names. A key is scoped
// to route, tenant and doc_id.
func KeyedIntent(route, tenant, docID, key string) Intent {
	h := sha256.New()
	for _, field := range []string{route, tenant, docID, key} {
		writeField(h, field)
	}
	var sum [sha256.Size]byte
	return intent('k', h.Sum(sum[:0]))
}

// RequestDigest is what makes two requests without a key the same intent.
type RequestDigest struct {
	Method, Path, RawQuery, ContentType, Tenant string
	Body                                        []byte
}

// Sum returns the digest.
func (d RequestDigest) Sum() (sum [16]byte) {
	h := sha256.New()
	for _, field := range []string{d.Method, d.Path, d.RawQuery, d.ContentType, d.Tenant} {
		writeField(h, field)
	}
	_, _ = h.Write(d.Body) // never fails
	var whole [sha256.Size]byte
	copy(sum[:], h.Sum(whole[:0]))
	return sum
}

// Intent returns the intent that the request itself is.
func (d RequestDigest) Intent() Intent { return DigestIntent(d.Sum()) }

// DigestIntent returns the intent of a request with this digest and no key.
func DigestIntent(sum [16]byte) Intent { return intent('d', sum[:]) }

// writeField writes the length before the field, so that no two lists of
// fields give the same bytes.
func writeField(h hash.Hash, field string) {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(field)))
	_, _ = h.Write(n[:])          // never fails
	_, _ = h.Write([]byte(field)) // never fails
}

func intent(kind byte, sum []byte) Intent {
	text := make([]byte, 1, 33)
	text[0] = kind
	return Intent(hex.AppendEncode(text, sum[:16]))
}

// ParseWorkflowID takes an ID apart that WorkflowID made with the prefix; false if
// it did not.
func ParseWorkflowID(prefix, id string) (docID string, intent Intent, life uint64, ok bool) {
	rest, ours := strings.CutPrefix(id, prefix+"/")
	beforeLife, number, found := cutLast(rest)
	docID, name, named := cutLast(beforeLife)
	life, err := strconv.ParseUint(number, 10, 64)
	return docID, Intent(name), life, ours && found && named && err == nil && len(name) == 33
}

func cutLast(s string) (before, after string, found bool) {
	if i := strings.LastIndexByte(s, '/'); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

// ShadowLife stands for the life in a shadow run's workflow ID. A document that
// legacy serves has lives there alone; a constant makes its intent's retries find
// the shadow run that there was.
const ShadowLife = 1

// ShadowSpace begins the workflow IDs of all shadow runs, and of no real ones.
const ShadowSpace = "shadow/"

// ShadowWorkflowID returns `shadow/<prefix>/<doc_id>/<intent>/1/<arm>`. The arm
// is "a", or "b" where a document is run twice to learn how much its answer varies.
func ShadowWorkflowID(prefix, docID string, intent Intent, arm string) string {
	return ShadowSpace + WorkflowID(prefix, docID, intent, ShadowLife) + "/" + arm
}

// WorkflowID returns `<prefix>/<doc_id>/<intent>/<life>`. Intent and life hold
// no slash, so the parts can be told apart from the right whatever the doc_id
// holds.
func WorkflowID(prefix, docID string, intent Intent, life uint64) string {
	return prefix + "/" + docID + "/" + string(intent) + "/" + strconv.FormatUint(life, 10)
}
