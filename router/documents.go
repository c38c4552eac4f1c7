package router

import (
	"net/http"
	"slices"

	"sluice/rollout"
)

// documents tells what document a request brings, to a Router and a Recogniser alike.
type documents struct {
	codings *codings
	// tenantHeader is the canonical name of the field that sets tenants apart; empty for
	// none.
	tenantHeader string
	// spaces: a route's documents are in a space of ids that has a name. Where none are,
	// every document keeps the identity that it has always had.
	spaces bool
}

func newDocuments(routes []Route, tenantHeader string, largest int64) documents {
	return documents{
		codings: newCodings(largest), tenantHeader: http.CanonicalHeaderKey(tenantHeader),
		spaces: slices.ContainsFunc(routes, func(route Route) bool { return route.IDSpace != "" }),
	}
}

// of returns the document of a request on the route; fields are its header, end to end.
// It fails with an error that rollout.UnroutableReason knows.
func (d *documents) of(route *Route, r *http.Request, fields http.Header, body []byte) (rollout.Document, error) {
	doc, err := route.document(d.codings, r, fields, body)
	if err == nil {
		err = d.place(route, fields, &doc)
	}
	return doc, err
}

// place puts a document that has its doc_id among those of its tenant and of the route's
// space of ids. It fails with rollout.ErrTenant.
func (d *documents) place(route *Route, fields http.Header, doc *rollout.Document) (err error) {
	if doc.Tenant, doc.Scope, err = d.tenant(fields); err == nil && d.spaces {
		doc.Enter(route.IDSpace)
	}
	return err
}

// tenant returns the request's tenant and the scope of its documents; both are empty
// where the configuration names no field for it. It fails with rollout.ErrTenant.
func (d *documents) tenant(fields http.Header) (tenant, scope string, err error) {
	if d.tenantHeader == "" {
		return "", "", nil
	}
	switch values := fields[d.tenantHeader]; len(values) {
	case 0:
	case 1:
		tenant = values[0]
	default: // legacy may read another one than the gateway
		return "", "", rollout.ErrTenant
	}
	scope, err = rollout.TenantScope(tenant)
	return tenant, scope, err
}
