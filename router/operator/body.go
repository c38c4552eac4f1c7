package operator

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
)

// readBody reads what the body holds strictly, or answers what is wrong with it. What
// it is called is for that answer.
func readBody(w http.ResponseWriter, r *http.Request, what string, into any) bool {
	body, err := io.ReadAll(r.Body)
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		writeProblem(w, problem{Slug: "too-large", Status: http.StatusRequestEntityTooLarge,
			Detail: fmt.Sprintf("%s has at most %d bytes", what, tooLarge.Limit)})
		return false
	}
	if err == nil {
		err = json.Unmarshal(body, into, json.RejectUnknownMembers(true))
	}
	if err != nil {
		refuse(w, fmt.Errorf("the body: %w", err))
		return false
	}
	return true
}

// checkReason says what is wrong with an operator's reason.
func checkReason(reason string) error {
	switch {
	case strings.TrimSpace(reason) == "":
		return errors.New("reason is missing: it goes on record")
	case len(reason) > maxReason:
		return fmt.Errorf("reason is longer than %d bytes", maxReason)
	case strings.ContainsRune(reason, 0):
		return errors.New("reason holds a zero byte")
	}
	return nil
}
