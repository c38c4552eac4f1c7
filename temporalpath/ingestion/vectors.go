package ingestion

import (
	"context"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"
)

const (
	// chunkSize bounds a chunk, in bytes.
	chunkSize = 512
	// batch is how many chunks are embedded between two heartbeats.
	batch = 64
	// dimensions is the length of an embedding.
	dimensions = 32
)

// VectorData is what the vector store keeps.
type VectorData struct {
	Chunks []Chunk `json:"chunks"`
}

// Chunk is a piece of the text and where it stands.
type Chunk struct {
	Text      string              `json:"text"`
	Embedding [dimensions]float32 `json:"embedding"`
}

// vectorsOf cuts and embeds the text. It calls beat after every batch, and ends
// with the context's error if ctx does.
func vectorsOf(ctx context.Context, text string, beat func()) (VectorData, error) {
	data := VectorData{Chunks: []Chunk{}}
	for i, piece := range chunks(text) {
		if i%batch == batch-1 {
			beat()
			if err := ctx.Err(); err != nil {
				return VectorData{}, err
			}
		}
		data.Chunks = append(data.Chunks, Chunk{Text: piece, Embedding: embed(piece)})
	}
	return data, nil
}

// chunks cuts text between words into pieces of at most chunkSize bytes, and
// inside a word only where that alone is longer.
func chunks(text string) []string {
	var pieces []string
	piece := ""
	for _, word := range strings.Fields(text) {
		if piece != "" && len(piece)+1+len(word) > chunkSize {
			pieces = append(pieces, piece)
			piece = ""
		}
		if piece != "" {
			piece += " "
		}
		piece += word
		for len(piece) > chunkSize {
			end := chunkSize
			for !utf8.RuneStart(piece[end]) {
				end--
			}
			pieces = append(pieces, piece[:end])
			piece = piece[end:]
		}
	}
	if piece != "" {
		pieces = append(pieces, piece)
	}
	return pieces
}

// embed hashes each word to one of the dimensions and a sign, and scales the
// sum to length 1: texts that share words stand close, and no model is needed.
func embed(text string) (vector [dimensions]float32) {
	var sums [dimensions]float64
	for _, word := range strings.Fields(strings.ToLower(text)) {
		hash := xxhash.Sum64String(word)
		if hash>>63 == 0 {
			sums[hash%dimensions]++
		} else {
			sums[hash%dimensions]--
		}
	}
	square := 0.0
	for _, sum := range sums {
		square += sum * sum
	}
	if square == 0 {
		return vector
	}
	for i, sum := range sums {
		vector[i] = float32(sum / math.Sqrt(square))
	}
	return vector
}
