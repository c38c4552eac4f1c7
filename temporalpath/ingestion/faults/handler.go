package faults

import (
	"encoding/json"
	"net/http"

	strict "github.com/go-json-experiment/json"
)

// maxBody bounds the settings that are read, in bytes.
const maxBody = 4 << 10

// ServeHTTP shows the settings on GET and replaces them all on PUT: what the
// new ones leave out is as usual, so an empty object mends everything. It answers the settings in force, 400 and a reason
// for settings that it does not take, 405 for other methods.
func (s *Switch) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodPut:
		settings, body := s.usual, http.MaxBytesReader(w, r.Body, maxBody)
		err := strict.UnmarshalRead(body, &settings, strict.RejectUnknownMembers(true))
		if err == nil {
			err = s.Set(settings)
		}
		if err != nil {
			refuse(w, http.StatusBadRequest, "The settings were not changed: "+err.Error()+
				`. Send JSON such as {"latency":"50ms","error_rate":0.1,"differ":0.05}.`)
			return
		}
	default:
		w.Header().Set("Allow", "GET, HEAD, PUT")
		refuse(w, http.StatusMethodNotAllowed, "Use GET or PUT.")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(s.Settings()) // a client that left needs no answer
}

func refuse(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(struct {
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
	}{"about:blank", http.StatusText(status), status, detail})
}
