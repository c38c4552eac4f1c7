package configs

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// misfits finds the values of a YAML document that do not fit a type, each by its key. The
// decoder names the line alone, which many keys may stand on.
type misfits struct {
	found []Problem
}

func (m *misfits) add(node *yaml.Node, key, format string, args ...any) {
	m.found = append(m.found, Problem{Line: node.Line, Key: key, Text: fmt.Sprintf(format, args...)})
}

// look goes through the node, which is the value of the key, beside its type.
func (m *misfits) look(node *yaml.Node, kind reflect.Type, key string) {
	if kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	value := node
	if node.Kind == yaml.AliasNode {
		value = node.Alias
	}
	switch {
	case value.Kind == yaml.MappingNode && kind.Kind() == reflect.Struct:
		m.lookInto(value, key, func(name string) (reflect.Type, bool) { return memberOf(kind, name) })
	case value.Kind == yaml.MappingNode && kind.Kind() == reflect.Map:
		m.lookInto(value, key, func(string) (reflect.Type, bool) { return kind.Elem(), true })
	case value.Kind == yaml.SequenceNode && kind.Kind() == reflect.Slice:
		for i, item := range value.Content {
			m.look(item, kind.Elem(), fmt.Sprintf("%s[%d]", key, i))
		}
	default:
		m.fits(node, kind, key)
	}
}

// lookInto goes through a mapping, whose members are of the types that of returns; false
// if there is no such member. A member that comes once more is left out, or the decoder
// would leave out all of them.
func (m *misfits) lookInto(mapping *yaml.Node, key string, of func(name string) (reflect.Type, bool)) {
	first := map[string]int{}
	var kept []*yaml.Node
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		name, value := mapping.Content[i], mapping.Content[i+1]
		path := within(key, name.Value)
		if name.Tag == "!!merge" {
			m.merge(value, key, of)
			kept = append(kept, name, value)
			continue
		}
		if line, twice := first[name.Value]; twice {
			m.add(name, path, "mapping key %q already defined at line %d", name.Value, line)
			continue
		}
		first[name.Value] = name.Line
		kept = append(kept, name, value)
		if kind, known := of(name.Value); known {
			m.look(value, kind, path)
		} else {
			m.add(name, path, "there is no such key")
		}
	}
	mapping.Content = kept
}

// merge goes through what <<: puts into a mapping: another one, or a list of them.
func (m *misfits) merge(value *yaml.Node, key string, of func(name string) (reflect.Type, bool)) {
	if value.Kind == yaml.AliasNode {
		value = value.Alias
	}
	switch value.Kind {
	case yaml.MappingNode:
		m.lookInto(value, key, of)
	case yaml.SequenceNode:
		for _, one := range value.Content {
			m.merge(one, key, of)
		}
	}
}

// fits decodes one value by itself.
func (m *misfits) fits(node *yaml.Node, kind reflect.Type, key string) {
	err := node.Decode(reflect.New(kind).Interface())
	if err == nil {
		return
	}
	text := err.Error()
	if several := new(yaml.TypeError); errors.As(err, &several) && len(several.Errors) > 0 {
		_, text = splitLine(several.Errors[0])
	}
	if strings.HasPrefix(text, "cannot unmarshal ") {
		text = fmt.Sprintf("%s is expected here, and %s is given", nameOf(kind), given(node))
	}
	m.add(node, key, "%s", text)
}

// memberOf returns the type of a struct's member by its name in YAML.
func memberOf(kind reflect.Type, name string) (reflect.Type, bool) {
	for i := range kind.NumField() {
		field := kind.Field(i)
		tag, options, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		if options == "inline" {
			if member, known := memberOf(field.Type, name); known {
				return member, true
			}
		}
		if tag == name && tag != "" && tag != "-" {
			return field.Type, true
		}
	}
	return nil, false
}

// nameOf returns what a value of the type is called.
func nameOf(kind reflect.Type) string {
	switch kind.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64, reflect.Uint64, reflect.Uint32:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "a group of keys"
	}
	return "a text"
}

// given returns what a node is called.
func given(node *yaml.Node) string {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	switch node.Kind {
	case yaml.MappingNode:
		return "a group of keys"
	case yaml.SequenceNode:
		return "a list"
	}
	if node.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		return fmt.Sprintf("the text %q in quotes", node.Value)
	}
	return fmt.Sprintf("%q", node.Value)
}

func within(key, name string) string {
	if key == "" {
		return name
	}
	return key + "." + name
}
