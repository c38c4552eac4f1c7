package validate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"sluice/configs"
	"sluice/rollout"
	"sluice/router"
	"sluice/temporalpath/validation"
)

// maxComplaints is how many bad lines are told at once.
const maxComplaints = 10

// requests makes requests of lines.
type requests struct {
	recogniser *router.Recogniser
	legacy     *legacy
	// used are the routes of all lines, sorted.
	used []string
	// readBack and route are for a file of doc_ids; route is nil for one of requests.
	readBack string // a path with {id}
	route    *configs.Route
}

// openFile reads the whole file and checks every line of it.
func (v *Validation) openFile() (err error) {
	v.requests = &requests{legacy: v.legacy}
	if err := v.requests.recognise(v.config.Routes, v.config.Requests.TenantHeader, int64(v.config.Requests.MaxBody)); err != nil {
		return err
	}
	if v.options.IDs {
		if err := v.requests.readsBack(v.config.Routes, v.options); err != nil {
			return err
		}
	}
	longest := int(2*v.config.Requests.MaxBody) + 64<<10
	if v.lines, err = validation.OpenLines(v.options.File, longest); err != nil {
		return err
	}
	v.closers = append(v.closers, v.lines.Close)
	if v.lines.Len() == 0 {
		return fmt.Errorf("%s: there is no line in it", v.options.File)
	}
	return v.checkLines()
}

func (r *requests) recognise(all []configs.Route, tenantHeader string, largest int64) (err error) {
	var routes []router.Route
	for _, c := range all {
		at, err := router.ParseLocator(c.DocID)
		if err == nil && c.IntegerIDs {
			at, err = at.WithIntegers()
		}
		if err != nil {
			return fmt.Errorf("route %q: %w", c.Name, err)
		}
		routes = append(routes, router.Route{Name: c.Name, Method: c.Method, Pattern: c.Pattern, DocID: at, IDSpace: c.IDSpace, Headers: c.Headers})
	}
	r.recogniser, err = router.NewRecogniser(routes, tenantHeader, largest)
	return err
}

// readsBack says how documents are read back, and which route they are posted to.
func (r *requests) readsBack(all []configs.Route, o Options) error {
	path, get := strings.CutPrefix(o.ReadBack, "GET ")
	if !get || !strings.HasPrefix(path, "/") || strings.Count(path, "{id}") != 1 {
		return fmt.Errorf("-read-back: %q is not one such as 'GET /v1/documents/{id}'", o.ReadBack)
	}
	r.readBack = path
	for i := range all {
		if o.Route == all[i].Name || o.Route == "" && len(all) == 1 {
			r.route = &all[i]
		}
	}
	switch {
	case r.route == nil:
		return errors.New("-route: name the route of the configuration that the documents are posted to")
	case strings.ContainsAny(r.route.Pattern, "{*"):
		return fmt.Errorf("route %q: its pattern %s stands for many paths: write a file of requests instead", r.route.Name, r.route.Pattern)
	}
	return nil
}

// checkLines fails with the first lines that are no good, by their numbers.
func (v *Validation) checkLines() error {
	used, wrong := map[string]bool{}, []error{}
	for i := range v.lines.Len() {
		text, err := v.lines.Read(i)
		var route string
		if err == nil {
			route, err = v.requests.check(text)
		}
		if used[route] = true; err != nil {
			wrong = append(wrong, fmt.Errorf("%s: line %d: %w", v.options.File, v.lines.Number(i), err))
		}
		if len(wrong) == maxComplaints {
			break
		}
	}
	if len(wrong) > 0 {
		return errors.Join(wrong...)
	}
	for route := range used {
		v.requests.used = append(v.requests.used, route)
	}
	slices.Sort(v.requests.used)
	return nil
}

// check returns the line's route, or what is wrong with the line.
func (r *requests) check(line []byte) (route string, err error) {
	if r.route != nil {
		return r.route.Name, rollout.CheckDocID(string(line))
	}
	_, doc, err := r.Request(context.Background(), line)
	if err != nil {
		return "", err
	}
	return doc.Route, nil
}

// Request returns the request that a line stands for, and its document.
func (r *requests) Request(ctx context.Context, line []byte) (*validation.Request, *rollout.Document, error) {
	var request *validation.Request
	var err error
	if r.route != nil {
		request, err = r.stored(ctx, string(line))
	} else {
		request, err = validation.ParseRequest(line)
	}
	if err != nil {
		return nil, r.nobody(), err
	}
	sent, err := request.HTTP(ctx, "http://legacy")
	if err != nil {
		return nil, r.nobody(), err
	}
	doc, err := r.recogniser.Document(sent, request.Text())
	if err != nil && r.route != nil { // what legacy gives back is no document of the route's
		err = fmt.Errorf("%w: %w", validation.ErrNone, err)
	}
	if err != nil {
		return nil, r.nobody(), err
	}
	return request, doc, nil
}

// nobody is the document of a request that there is not.
func (r *requests) nobody() *rollout.Document {
	if r.route == nil {
		return nil
	}
	return &rollout.Document{Route: r.route.Name}
}

// stored reads a document back, and returns the request that would bring it.
func (r *requests) stored(ctx context.Context, id string) (*validation.Request, error) {
	get := &validation.Request{Method: http.MethodGet, Path: strings.Replace(r.readBack, "{id}", url.PathEscape(id), 1)}
	answer, err := r.legacy.once(ctx, get, "", "")
	switch {
	case errors.Is(err, validation.ErrTooLarge):
		return nil, fmt.Errorf("%w: %w", validation.ErrNone, err)
	case err != nil:
		return nil, err
	case answer.Status != http.StatusOK:
		return nil, fmt.Errorf("%w: %s is answered %d", validation.ErrNone, get.Path, answer.Status)
	}
	return &validation.Request{
		Method: r.route.Method, Path: r.route.Pattern, BodyBase64: answer.Body,
		Headers: map[string]validation.Values{"Content-Type": answer.Header["Content-Type"]},
	}, nil
}
