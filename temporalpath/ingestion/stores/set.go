package stores

import (
	"context"
	"errors"
	"fmt"
)

// Set is the four stores that an ingestion writes to.
type Set struct {
	Document, Vector, Graph, Cache Store
}

// Of returns the store of a kind, nil for an unknown one.
func (s Set) Of(kind Kind) Store {
	switch kind {
	case Document:
		return s.Document
	case Vector:
		return s.Vector
	case Graph:
		return s.Graph
	case Cache:
		return s.Cache
	}
	return nil
}

// Empty reports whether all stores are missing.
func (s Set) Empty() bool {
	return s.Document == nil && s.Vector == nil && s.Graph == nil && s.Cache == nil
}

// Check names the stores that are missing.
func (s Set) Check() error {
	var problems []error
	for _, kind := range Kinds() {
		if s.Of(kind) == nil {
			problems = append(problems, fmt.Errorf("the %s store is missing", kind))
		}
	}
	return errors.Join(problems...)
}

// each returns the set in which every store is replaced by wrap's answer.
func (s Set) each(wrap func(Kind, Store) Store) Set {
	return Set{
		Document: wrap(Document, s.Document),
		Vector:   wrap(Vector, s.Vector),
		Graph:    wrap(Graph, s.Graph),
		Cache:    wrap(Cache, s.Cache),
	}
}

// DSNs says where each of the four stores is. The same DSN may be given for
// several kinds: each kind has a table, or a key prefix, of its own.
type DSNs struct {
	Document, Vector, Graph, Cache string
}

// Everywhere returns DSNs that put all four kinds in one place.
func Everywhere(dsn string) DSNs {
	return DSNs{Document: dsn, Vector: dsn, Graph: dsn, Cache: dsn}
}

// Of returns the DSN of a kind.
func (d DSNs) Of(kind Kind) string {
	switch kind {
	case Document:
		return d.Document
	case Vector:
		return d.Vector
	case Graph:
		return d.Graph
	default:
		return d.Cache
	}
}

// Handles is four open stores by kind.
type Handles map[Kind]Handle

// OpenSet opens the four stores. It reports all that fail, each by its kind,
// and leaves none open unless it returns nil.
func OpenSet(ctx context.Context, dsns DSNs) (Handles, error) {
	opened := Handles{}
	var problems []error
	for _, kind := range Kinds() {
		handle, err := Open(ctx, dsns.Of(kind), kind)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		opened[kind] = handle
	}
	if len(problems) > 0 {
		return nil, errors.Join(append(problems, opened.Close())...)
	}
	return opened, nil
}

// Set returns the stores as an ingestion needs them.
func (h Handles) Set() Set {
	return Set{Document: h[Document], Vector: h[Vector], Graph: h[Graph], Cache: h[Cache]}
}

// Close closes the stores and returns what failed.
func (h Handles) Close() error {
	var problems []error
	for kind, handle := range h {
		if err := handle.Close(); err != nil {
			problems = append(problems, fmt.Errorf("%s store: %w", kind, err))
		}
	}
	return errors.Join(problems...)
}
