package router

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
)

// tokens makes the URLs of status resources unguessable: each carries route and
// workflow ID under a signature. They stay good as long as the key does, on
// every gateway that has it.
type tokens struct{ key []byte }

const signatureSize = 16

var errToken = errors.New("not a token of this gateway")

func (t tokens) make(route, workflowID string) string {
	text := route + "\x00" + workflowID
	return base64.RawURLEncoding.EncodeToString(append(t.sign(text), text...))
}

func (t tokens) read(token string) (route, workflowID string, err error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) <= signatureSize {
		return "", "", errToken
	}
	text := string(raw[signatureSize:])
	if !hmac.Equal(raw[:signatureSize], t.sign(text)) {
		return "", "", errToken
	}
	route, workflowID, ok := strings.Cut(text, "\x00")
	if !ok {
		return "", "", errToken
	}
	return route, workflowID, nil
}

func (t tokens) sign(text string) []byte {
	mac := hmac.New(sha256.New, t.key)
	_, _ = mac.Write([]byte(text)) // never fails
	return mac.Sum(nil)[:signatureSize]
}
