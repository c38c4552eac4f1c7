package ingestion

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"sluice/temporalpath/wire"
)

// DocumentData is what the document store keeps.
type DocumentData struct {
	ContentType string `json:"content_type,omitempty"`
	// Body is the document's canonical JSON.
	Body json.RawMessage `json:"body"`
}

// CacheData is what the cache keeps, for readers who want an answer fast.
type CacheData struct {
	Result Result `json:"result"`
	// Summary is the beginning of the document's text.
	Summary string `json:"summary"`
}

// document is a document as the steps see it.
type document struct {
	id          string
	contentType string
	body        []byte // canonical JSON: members sorted, no white space
	text        string
	links       []string
}

// parse reads any JSON object as a document; it fails with ErrInvalidDocument.
// Two bodies that differ in white space or escapes only are the same document:
// a body that went through Temporal has changed in that way.
func parse(in *wire.Input) (document, error) {
	raw, err := in.RawBody()
	if err != nil {
		return document{}, fmt.Errorf("%w: %w", ErrInvalidDocument, err)
	}
	members, err := object(raw)
	if err != nil {
		return document{}, fmt.Errorf("%w: %w", ErrInvalidDocument, err)
	}
	canonical, err := json.Marshal(members)
	if err != nil {
		return document{}, fmt.Errorf("%w: %w", ErrInvalidDocument, err)
	}
	return document{
		id: in.DocID, contentType: in.ContentType, body: canonical,
		text: textOf(members), links: linksOf(members["links"]),
	}, nil
}

// object reads exactly one JSON object. Numbers keep their digits.
func object(raw []byte) (map[string]any, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, fmt.Errorf("it is not JSON: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more after the first JSON value")
	}
	members, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("it is JSON of another type")
	}
	return members, nil
}

// textOf is the member text, or content, or all strings but the id, by name.
func textOf(members map[string]any) string {
	for _, name := range []string{"text", "content"} {
		if text, ok := members[name].(string); ok {
			return text
		}
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if text, ok := members[name].(string); ok && name != "doc_id" {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, "\n")
}

// linksOf is the strings in a string or an array.
func linksOf(value any) []string {
	switch value := value.(type) {
	case string:
		return []string{value}
	case []any:
		var links []string
		for _, element := range value {
			if link, ok := element.(string); ok {
				links = append(links, link)
			}
		}
		return links
	}
	return nil
}

func checksum(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// summary returns the first bytes of text, up to a whole character.
func summary(text string) string {
	const limit = 200
	if len(text) <= limit {
		return text
	}
	end := limit
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}
