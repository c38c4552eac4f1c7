package router

import (
	"slices"

	"sluice/rollout"
)

// spaces is whether any route's documents are in a space of ids that has a name. Where
// none is, every document keeps the identity that it has always had.
type spaces bool

func spacesOf(routes []Route) spaces {
	return spaces(slices.ContainsFunc(routes, func(route Route) bool { return route.IDSpace != "" }))
}

// enter puts a document of the route's, whose tenant is known, into the route's space.
func (s spaces) enter(route *Route, doc *rollout.Document) {
	if s {
		doc.Enter(route.IDSpace)
	}
}
