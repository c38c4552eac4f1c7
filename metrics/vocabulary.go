package metrics

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// other counts the words that are in no closed set: a sign that the code and
// its metrics have drifted apart.
const other = "other"

// vocabulary counts words of one closed set. It is safe for concurrent use.
type vocabulary struct {
	words map[string]prometheus.Counter // never written after the start
	other func() prometheus.Counter     // makes its series when first needed
}

// newVocabulary counts the words in the vector's last label; the labels before
// it have the given values.
func newVocabulary(vec *prometheus.CounterVec, words []string, before ...string) vocabulary {
	counter := func(word string) prometheus.Counter {
		return vec.WithLabelValues(append(before[:len(before):len(before)], word)...)
	}
	v := vocabulary{
		words: make(map[string]prometheus.Counter, len(words)),
		other: sync.OnceValue(func() prometheus.Counter { return counter(other) }),
	}
	for _, word := range words {
		v.words[word] = counter(word)
	}
	return v
}

func (v vocabulary) count(word string) {
	counter, known := v.words[word]
	if !known {
		counter = v.other()
	}
	counter.Inc()
}
