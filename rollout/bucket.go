package rollout

import (
	"math/bits"

	"github.com/cespare/xxhash/v2"
)

// Bucket is where a document stands on the ruler, 0..999,999.
type Bucket uint32

const buckets = uint64(All)

// DefaultSalt sets one migration's cohort apart from all other users of a hash.
const DefaultSalt = "temporal-rollout/v1"

// Splitter places documents on the ruler. It is safe for concurrent use.
//
//	hash   = xxhash64(salt + ":" + doc_id)
//	bucket = high 64 bits of (hash x 1,000,000)
//
// By hand: printf 'temporal-rollout/v1:doc-123' | xxhsum -H64
type Splitter struct {
	salted xxhash.Digest // has read the salt and the colon; copied, never written
	prefix string
}

// NewSplitter returns the splitter of the migration that the salt names.
func NewSplitter(salt string) *Splitter {
	s := &Splitter{prefix: salt + ":"}
	s.salted.Reset()
	_, _ = s.salted.WriteString(s.prefix) // never fails
	return s
}

// shortKey bounds the salted ids that are hashed in one go on the stack.
const shortKey = 128

// Bucket returns the document's place.
func (s *Splitter) Bucket(docID string) Bucket {
	return bucketOf(s.hash(docID))
}

func (s *Splitter) hash(docID string) uint64 {
	if len(s.prefix)+len(docID) <= shortKey {
		var key [shortKey]byte
		n := copy(key[:], s.prefix)
		n += copy(key[n:], docID)
		return xxhash.Sum64(key[:n])
	}
	d := s.salted
	_, _ = d.WriteString(docID) // never fails
	return d.Sum64()
}

func bucketOf(hash uint64) Bucket {
	high, _ := bits.Mul64(hash, buckets)
	return Bucket(high)
}
