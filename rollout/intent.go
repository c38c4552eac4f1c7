package rollout

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"slices"
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
	writeField(h, fmt.Sprint(life))
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
	// ContentEncoding is the body's coding; "" for none.
	ContentEncoding string
	// Header holds the fields that the workflow is told of.
	Header map[string][]string
	Body   []byte
}

// Sum returns the digest. What a request has not is not written, because a digest
// outlives the build that made it.
func (d RequestDigest) Sum() (sum [16]byte) {
	h := sha256.New()
	if len(d.Header) > 0 {
		_, _ = h.Write(withHeader[:]) // never fails
	}
	for _, field := range []string{d.Method, d.Path, d.RawQuery, d.ContentType, d.Tenant} {
		writeField(h, field)
	}
	if d.ContentEncoding != "" || len(d.Header) > 0 {
		writeField(h, d.ContentEncoding)
	}
	for _, name := range slices.Sorted(maps.Keys(d.Header)) {
		writeField(h, name)
		for _, value := range d.Header[name] {
			writeField(h, value)
		}
		_, _ = h.Write(withHeader[:])
	}
	if len(d.Header) > 0 {
		_, _ = h.Write(withHeader[:])
	}
	_, _ = h.Write(d.Body) // never fails
	var whole [sha256.Size]byte
	copy(sum[:], h.Sum(whole[:0]))
	return sum
}

// withHeader begins the digest of a request with a header, and ends each of its fields
// and all of them: no text is so long that its length could be taken for it.
var withHeader = [8]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

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
