package router

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"strconv"
	"time"

	"sluice/rollout"
)

// visit is one request on an ingestion route on its way through the gateway.
type visit struct {
	rt     *Router
	route  *Route
	w      http.ResponseWriter
	r      *http.Request
	fields http.Header // the request's, end to end
	policy *rollout.Policy
	body   *intake
	doc    rollout.Document
	record rollout.Record

	once       bool // legacy answers the intent once, and the gateway its retries
	let        bool // the client may
	preference preference
	deadline   time.Time // of the client's wait
	waited     bool      // a part of the wait is over
}

// ingest returns the handler of a route.
func (rt *Router) ingest(route *Route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if len(overriding(r)) > 0 {
			rt.passThrough(w, r, route.Name) // counted, for it has no claim
			return
		}
		v := &visit{rt: rt, route: route, w: route.answering(w), r: r, fields: endToEnd(r.Header)}
		v.record = rollout.Record{Route: route.Name, Method: r.Method, Target: r.URL.Path, Started: time.Now()}
		v.serve()
	}
}

// serve takes the steps in their order. Each that fails has answered.
func (v *visit) serve() {
	var err error
	v.body, err = v.rt.bodies.read(v.r)
	defer v.body.close(v.w)
	v.policy = v.rt.config.Policy()
	if err != nil {
		v.notRead(err)
		return
	}
	body, _ := v.body.whole()
	v.record.BytesIn = int64(len(body))
	if methods := formOverrides(v.r, body); len(methods) > 0 {
		if !v.rt.touching(v.w, withBody(v.r, body), methods) {
			v.rt.through(v.r.Context(), v.w, v.r, v.route.Name, body, func(rollout.Result) {})
		}
		return
	}
	if err := v.identify(body); err != nil {
		v.unroutable(err)
		return
	}
	v.claimed()
}

// withBody returns the request with a body that has been read, to be read again.
func withBody(r *http.Request, body []byte) *http.Request {
	r = r.WithContext(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	return r
}

// identify fills in what the request says of its document.
func (v *visit) identify(body []byte) (err error) {
	if v.doc, err = v.rt.documents.of(v.route, v.r, v.fields, body); err != nil {
		return err
	}
	v.doc.Bucket = v.rt.config.Splitter.Bucket(v.doc.DocID)
	v.record.DocID = v.doc.Identity()
	return nil
}

// digest is all that makes the request the same as another.
func (v *visit) digest() rollout.RequestDigest {
	return rollout.RequestDigest{
		Method: v.doc.Method, Path: v.doc.Path, RawQuery: v.doc.Query, ContentType: v.doc.ContentType, Tenant: v.doc.Tenant,
		ContentEncoding: v.doc.ContentEncoding, Header: v.doc.Header, Body: v.doc.Body,
	}
}

// name names the document's intent, by its key or by all that it is, and returns
// the digest that tells requests under one key apart.
func (v *visit) name() (sum [16]byte) {
	sum = v.digest().Sum()
	v.doc.Intent = rollout.DigestIntent(sum)
	if key := v.fields.Get("Idempotency-Key"); key != "" {
		v.doc.Intent = rollout.KeyedIntent(v.route.Name, v.doc.Tenant, v.doc.DocID, key)
		v.once = v.rt.config.Answers != nil
	}
	v.record.Intent = v.doc.Intent
	return sum
}

// announce sets the answer fields that say where the document goes and why.
func (v *visit) announce(d rollout.Decision) {
	h := v.w.Header()
	h.Set("Rollout-Path", d.Path.String())
	h.Set("Rollout-Reason", d.Reason.String())
	if d.Reason != rollout.ReasonUnroutable {
		h.Set("Rollout-Bucket", strconv.FormatUint(uint64(d.Bucket), 10))
	}
}

// send runs one path to its end, whether or not the client stays.
func (v *visit) send(path func(context.Context) rollout.Result) {
	v.record.Sent = true
	done := v.rt.config.Observer.InFlight(v.record.Decision.Path)
	v.record.Result = path(context.WithoutCancel(v.r.Context()))
	done()
}

// forward passes the request to legacy: with its body if that is held, else with what
// was read of it and then the rest, as it comes. It can do so once.
func (v *visit) forward(ctx context.Context) rollout.Result {
	if body, whole := v.body.whole(); whole {
		return v.rt.forward(ctx, v.w, v.r, body)
	}
	r := v.r.WithContext(v.r.Context())
	r.Body = v.body.stream()
	if v.body.begun && listed(r.Header["Expect"], "100-continue") { // the client does not wait any more
		r.Header = maps.Clone(r.Header)
		delete(r.Header, "Expect")
	}
	result := v.rt.forward(ctx, v.w, r, nil)
	v.record.BytesIn = v.body.passed.Load()
	return result
}

// observe hands the record on. An answer that broke off is cut here, after
// which nothing else may be written.
func (v *visit) observe() {
	v.record.Duration = time.Since(v.record.Started)
	v.rt.config.Observer.Observe(&v.record)
	v.rt.logAccess(&v.record)
	if v.record.Result.Outcome == rollout.OutcomeTruncated {
		panic(http.ErrAbortHandler)
	}
}

// unroutable is what becomes of a request without a usable doc_id.
func (v *visit) unroutable(err error) {
	if v.rt.config.OnUnroutable == PassToLegacy {
		v.withoutClaim(err)
		return
	}
	v.notToBeRouted(err)
	v.w.Header().Del("Rollout-Path") // it went nowhere
	v.record.Result = writeProblem(v.w, problem{Slug: "unroutable", Status: http.StatusBadRequest, Reason: v.record.Unroutable,
		Detail: "no document can be told from this request: " + err.Error() + " (looked at " + v.route.DocID.String() + ")"})
	v.record.Result.Outcome, v.record.Result.Err = rollout.OutcomeInvalid, err
	v.observe()
}

// withoutClaim passes to legacy a request that no document can be told from.
func (v *visit) withoutClaim(err error) {
	v.notToBeRouted(err)
	v.send(v.forward)
	v.observe()
}

// notToBeRouted notes and announces why no document can be told from the request.
func (v *visit) notToBeRouted(err error) {
	v.record.Decision = rollout.Decision{Path: rollout.Legacy, Reason: rollout.ReasonUnroutable, Epoch: v.policy.Epoch}
	v.record.Unroutable = rollout.UnroutableReason(err)
	v.announce(v.record.Decision)
}
