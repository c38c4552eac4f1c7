// Package demolegacy is the demonstration's legacy service: it ingests documents
// synchronously, by the very steps that the workflow takes, so that the two
// paths can be compared, and it goes bad on demand.
//
//	POST /v1/documents         ingest the JSON document, answer with the result;
//	                           with X-Dry-Run: true, answer and store nothing
//	GET  /v1/documents/{id}    the document as stored, whichever path stored it
//	GET  /auth                 204 if the request's credentials are good
//	GET, PUT /faults           what goes wrong: latency, error_rate, differ
//	GET  /healthz
//
// It has what such services have: no idempotency keys, and no promise about a
// document whose request broke off.
package demolegacy

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"

	"sluice/temporalpath/ingestion"
	"sluice/temporalpath/ingestion/faults"
	"sluice/temporalpath/ingestion/stores"
	"sluice/temporalpath/wire"
)

// maxBody is the largest document, in bytes.
const maxBody = 64 << 20

// Config configures a Service.
type Config struct {
	// Stores are written to. The service does not close them.
	Stores stores.Handles
	// Token is what clients must send as a bearer token; empty lets everyone in.
	Token string
	// Latency is what a document takes besides the writing, 0 to ten minutes, unless
	// /faults names another one.
	Latency time.Duration
	Log     *zap.Logger
}

// Service is the legacy service. It is safe for concurrent use.
type Service struct {
	config Config
	steps  *ingestion.Steps
	faults *faults.Switch
	mux    *http.ServeMux
}

// New returns the service.
func New(config Config) (*Service, error) {
	s := &Service{config: config, mux: http.NewServeMux()}
	var err error
	if s.faults, err = faults.New(faults.Settings{Latency: faults.Duration(config.Latency)}); err != nil {
		return nil, err
	}
	set := config.Stores.Set()
	// A dry run takes the same steps as a shadow run, and these stores.
	nothing := stores.Set{Document: nowhere{}, Vector: nowhere{}, Graph: nowhere{}, Cache: nowhere{}}
	if s.steps, err = ingestion.NewSteps(ingestion.Config{Stores: set, Shadow: nothing, Faults: s.faults}); err != nil {
		return nil, err
	}
	s.mux.HandleFunc("POST /v1/documents", s.authorised(s.ingest))
	s.mux.HandleFunc("GET /v1/documents/{id}", s.authorised(s.read))
	s.mux.HandleFunc("GET /auth", s.authorised(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	s.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	s.mux.Handle("/faults", s.faults)
	return s, nil
}

// ServeHTTP serves one request.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Serve serves the listener until ctx ends, then finishes what is under way.
func (s *Service) Serve(ctx context.Context, listener net.Listener) error {
	errorLog, err := zap.NewStdLogAt(s.config.Log, zap.WarnLevel)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 5 * time.Second, ErrorLog: errorLog}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		stopped <- server.Shutdown(limit)
	})
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

func (s *Service) authorised(next http.HandlerFunc) http.HandlerFunc {
	want := "Bearer " + s.config.Token
	return func(w http.ResponseWriter, r *http.Request) {
		got := r.Header.Get("Authorization")
		if s.config.Token != "" && subtle.ConstantTimeCompare([]byte(got), []byte(want)) != 1 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="documents"`)
			answer(w, http.StatusUnauthorized, fault{"a bearer token is needed"})
			return
		}
		next(w, r)
	}
}

// fault is the body of an answer that is not a success.
type fault struct {
	Error string `json:"error"`
}

func (s *Service) ingest(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		answer(w, http.StatusBadRequest, fault{err.Error()})
		return
	}
	docID, status := identify(body)
	if docID == "" {
		answer(w, status, fault{"a JSON object with a doc_id is needed"})
		return
	}
	in := wire.Input{DocID: docID, Intent: intent(r, body), Life: 1, ContentType: r.Header.Get("Content-Type"), Shadow: dry(r)}
	in.SetBody(wire.FormJSON, body)
	result, err := s.steps.Sync(r.Context(), in, time.Now().UnixNano())
	if err != nil {
		s.config.Log.Warn("ingestion failed", zap.String("doc_id", in.DocID), zap.Error(err))
		status := http.StatusInternalServerError
		var failure *ingestion.Failure
		if errors.As(err, &failure) && failure.Type == ingestion.TypeInvalidDocument {
			status = http.StatusUnprocessableEntity
		}
		answer(w, status, fault{err.Error()})
		return
	}
	answer(w, http.StatusOK, result)
}

// identify returns the document's doc_id, or the status for a body without one:
// 422, as the workflow's InvalidDocument, for JSON that is no object.
func identify(body []byte) (docID string, status int) {
	if json.Valid(body) && bytes.TrimLeft(body, " \t\r\n")[0] != '{' {
		return "", http.StatusUnprocessableEntity
	}
	var document struct {
		DocID string `json:"doc_id"`
	}
	if err := json.Unmarshal(body, &document); err != nil {
		return "", http.StatusBadRequest
	}
	return document.DocID, http.StatusBadRequest
}

// intent names the write: every request is one of its own unless its client says
// otherwise.
func intent(r *http.Request, body []byte) string {
	if key := r.Header.Get("Idempotency-Key"); key != "" {
		return key
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:16])
}

// read answers with the document as its store has it.
func (s *Service) read(w http.ResponseWriter, r *http.Request) {
	record, err := s.config.Stores[stores.Document].Get(r.Context(), r.PathValue("id"))
	switch {
	case errors.Is(err, stores.ErrNotFound):
		answer(w, http.StatusNotFound, fault{"there is no such document"})
		return
	case err != nil:
		answer(w, http.StatusInternalServerError, fault{err.Error()})
		return
	}
	var data ingestion.DocumentData
	if err := json.Unmarshal(record.Data, &data); err != nil {
		answer(w, http.StatusInternalServerError, fault{err.Error()})
		return
	}
	answer(w, http.StatusOK, data.Body)
}

func answer(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may have left
}
