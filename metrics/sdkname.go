package metrics

import (
	"maps"
	"slices"
	"strings"
)

// labelsOf turns tags into labels in order of their names. Prometheus takes an
// empty label for an absent one, so empty tags are left out; of tags whose
// names become the same label, the first in order of the tags' names stays.
func labelsOf(tags map[string]string) (names, values []string) {
	labels := make(map[string]string, len(tags))
	for _, tag := range slices.Sorted(maps.Keys(tags)) {
		name, value := validLabel(tag), strings.ToValidUTF8(tags[tag], "\uFFFD")
		if _, taken := labels[name]; !taken && value != "" {
			labels[name] = value
		}
	}
	names = slices.Sorted(maps.Keys(labels))
	for _, name := range names {
		values = append(values, labels[name])
	}
	return names, values
}

// validLabel returns a label name: a name that Prometheus does not keep for
// itself, as it does with "le", "quantile" and two leading underscores.
func validLabel(tag string) string {
	name := validName(tag)
	switch {
	case name == "le", name == "quantile":
		return "tag_" + name
	case strings.HasPrefix(name, "__"):
		return "tag" + name
	}
	return name
}

// validName returns the name with all but ASCII letters, digits and underscores
// replaced by underscores, not beginning with a digit and not empty. A colon is
// for recording rules alone.
func validName(name string) string {
	valid := strings.Map(func(r rune) rune {
		switch {
		case r == '_', '0' <= r && r <= '9', 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z':
			return r
		}
		return '_'
	}, name)
	if valid == "" || '0' <= valid[0] && valid[0] <= '9' {
		return "_" + valid
	}
	return valid
}
