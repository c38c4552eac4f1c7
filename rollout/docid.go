package rollout

import (
	"errors"
	"strings"
	"unicode/utf8"
)

const (
	// MaxDocID is the longest doc_id, in bytes.
	MaxDocID = 512
	// MaxTenant is the longest name of a tenant, in bytes.
	MaxTenant = 256
	// maxIdentity is the longest name of a document: each byte of a tenant can become
	// three.
	maxIdentity = len(spaceMark) + MaxIDSpace + 1 + 3*MaxTenant + 1 + MaxDocID
)

// What makes a request unroutable: it has no usable doc_id, or its body, in which the
// doc_id is, cannot be held. Each is also a reason in metrics and answers; see
// UnroutableReason.
var (
	ErrDocIDMissing    = errors.New("doc_id is missing")
	ErrDocIDEmpty      = errors.New("doc_id is empty")
	ErrDocIDType       = errors.New("doc_id is not a string")
	ErrDocIDTooLong    = errors.New("doc_id is longer than 512 bytes")
	ErrDocIDUTF8       = errors.New("doc_id is not valid UTF-8")
	ErrDocIDDuplicated = errors.New("doc_id stands more than once")
	ErrDocIDAmbiguous  = errors.New("a sibling of doc_id differs from it only in letter case")
	ErrBodyEmpty       = errors.New("the body is empty")
	ErrBodyNotJSON     = errors.New("the body is not JSON")
	ErrTenant          = errors.New("the tenant stands more than once, is longer than 256 bytes or is not valid UTF-8")
	ErrBodyCoding      = errors.New("the body's Content-Encoding cannot be undone")
	ErrBodyExpands     = errors.New("the body becomes too large when its Content-Encoding is undone")
	ErrBodyTooLarge    = errors.New("the body is too large")
	ErrBodyTooSlow     = errors.New("the body came too slowly")
	ErrBodyOverload    = errors.New("too many bytes of bodies are held already")
)

// unroutable names the reasons, in the order they are documented.
var unroutable = [...]struct {
	err  error
	word string
}{
	{ErrDocIDMissing, "missing"},
	{ErrDocIDEmpty, "empty"},
	{ErrDocIDType, "not-a-string"},
	{ErrDocIDTooLong, "too-long"},
	{ErrDocIDUTF8, "invalid-utf8"},
	{ErrDocIDDuplicated, "duplicated"},
	{ErrDocIDAmbiguous, "ambiguous-case"},
	{ErrBodyEmpty, "empty-body"},
	{ErrBodyCoding, "coding"},
	{ErrBodyExpands, "expands"},
	{ErrBodyTooLarge, "too-large"},
	{ErrBodyTooSlow, "too-slow"},
	{ErrBodyOverload, "overload"},
	{ErrBodyNotJSON, "not-json"},
	{ErrTenant, "tenant"},
}

// UnroutableReason returns the word for the error, or "" if the error is not
// one of those that make a request unroutable.
func UnroutableReason(err error) string {
	for _, u := range unroutable {
		if errors.Is(err, u.err) {
			return u.word
		}
	}
	return ""
}

// UnroutableReasons lists every word that UnroutableReason can return.
func UnroutableReasons() []string {
	words := make([]string, len(unroutable))
	for i, u := range unroutable {
		words[i] = u.word
	}
	return words
}

// CheckDocID returns nil if the id can be placed on the ruler, else the reason.
func CheckDocID(id string) error {
	switch {
	case id == "":
		return ErrDocIDEmpty
	case len(id) > MaxDocID:
		return ErrDocIDTooLong
	case !utf8.ValidString(id):
		return ErrDocIDUTF8
	}
	return nil
}

// TenantScope returns what sets a tenant's documents apart: its name, with slashes and
// percent signs escaped, and a slash. So no two tenants have a document of one name,
// nor has one without a name, which "" stands for. It fails with ErrTenant.
func TenantScope(tenant string) (string, error) {
	if len(tenant) > MaxTenant || !utf8.ValidString(tenant) {
		return "", ErrTenant
	}
	return strings.NewReplacer("%", "%25", "/", "%2F").Replace(tenant) + "/", nil
}

// CheckIdentity returns nil if a document can have the name, else the reason why not.
func CheckIdentity(name string) error {
	switch {
	case name == "":
		return ErrDocIDEmpty
	case len(name) > maxIdentity:
		return ErrDocIDTooLong
	case !utf8.ValidString(name):
		return ErrDocIDUTF8
	}
	return nil
}
