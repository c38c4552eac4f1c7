package worker

import (
	"net/http"

	"sluice/cmd/internal/connect"
)

// handler serves what operators and their tools look at.
func (w *Worker) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", w.metrics.Handler())
	mux.HandleFunc("GET /livez", func(rw http.ResponseWriter, _ *http.Request) { connect.Say(rw, http.StatusOK, "alive") })
	mux.HandleFunc("GET /readyz", func(rw http.ResponseWriter, _ *http.Request) {
		if !w.polling.Load() {
			connect.Say(rw, http.StatusServiceUnavailable, "not polling yet")
			return
		}
		connect.Say(rw, http.StatusOK, "ready")
	})
	if w.faults != nil {
		mux.Handle("/faults", w.faults)
	}
	return mux
}
