package operator

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"github.com/go-json-experiment/json/jsontext"
	"go.uber.org/zap"
)

// View is a resource that is only looked at.
type View struct {
	// Name is its path below /api/.
	Name string
	// Parameters are those that it knows.
	Parameters []string
	// Read returns what is answered, as JSON. It fails with an error that wraps
	// ErrParameter if a parameter is to blame.
	Read func(ctx context.Context, query url.Values) (any, error)
}

// ErrParameter says that a parameter is not what it must be.
var ErrParameter = errors.New("parameter")

// view answers with what the view reads.
func (a *api) view(view View) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		query, err := parameters(r, view.Parameters...)
		if err != nil {
			refuse(w, err)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), timeout)
		defer cancel()
		answer, err := view.Read(ctx, query)
		var text jsontext.Value
		if err == nil {
			text, err = json.Marshal(answer) // durations are whole nanoseconds here
		}
		switch {
		case errors.Is(err, ErrParameter):
			refuse(w, err)
		case err != nil:
			a.Log.Warn("a view cannot be read", zap.String("view", view.Name), zap.Error(err))
			writeProblem(w, problem{Slug: "store", Status: http.StatusServiceUnavailable, Detail: "this cannot be read now: " + err.Error()})
		default:
			writeJSON(w, text)
		}
	}
}
