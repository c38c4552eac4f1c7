package configs

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Load reads the file over the defaults, then the settings over both, each as
// key.path=value. All that is wrong is in the error, a *Problems.
func Load(path string, settings ...string) (Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("configuration: %w", err)
	}
	config := Default()
	problems := &Problems{File: path}
	lines := linesOf(text)
	problems.decode(text, &config)
	for _, setting := range settings {
		problems.set(setting, &config)
	}
	for i := range config.Routes {
		config.Routes[i].complete()
	}
	for i := range config.Gates {
		config.Gates[i].complete()
	}
	for i := range config.Plan.Steps {
		config.Plan.Steps[i].complete()
	}
	validate(&config, func(key, format string, args ...any) {
		problems.add(lines.of(key), key, format, args...)
	})
	return config, problems.err()
}

// decode reads YAML over what config holds.
func (p *Problems) decode(text []byte, config *Config) {
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var root yaml.Node
	switch err := dec.Decode(&root); {
	case errors.Is(err, io.EOF):
		return
	case err != nil:
		line, message := splitLine(strings.TrimPrefix(err.Error(), "yaml: "))
		p.add(line, "", "not YAML: %s", message)
		return
	}
	p.single(dec)
	var m misfits
	m.look(root.Content[0], reflect.TypeFor[Config](), "")
	for _, one := range m.found {
		p.add(one.Line, one.Key, "%s", one.Text)
	}
	if err := root.Decode(config); err != nil && len(m.found) == 0 {
		line, message := splitLine(strings.TrimPrefix(err.Error(), "yaml: "))
		p.add(line, "", "%s", message)
	}
}

// single complains of a second document in the file, which would not count.
func (p *Problems) single(dec *yaml.Decoder) {
	var second yaml.Node
	if err := dec.Decode(&second); err == nil {
		p.add(second.Line, "", "a second YAML document begins here, which would not count: one file holds one configuration, without --- in it")
	}
}

// set applies one key.path=value.
func (p *Problems) set(setting string, config *Config) {
	key, value, ok := strings.Cut(setting, "=")
	if !ok || key == "" {
		p.add(0, "", "setting %q: write key.path=value", setting)
		return
	}
	var text strings.Builder
	parts := strings.Split(key, ".")
	for depth, part := range parts {
		fmt.Fprintf(&text, "%s%s:", strings.Repeat(" ", depth), part)
		if depth < len(parts)-1 {
			text.WriteByte('\n')
		}
	}
	fmt.Fprintf(&text, " %s\n", value)
	found := &Problems{}
	found.decode([]byte(text.String()), config)
	for _, one := range found.List {
		p.add(0, cmp.Or(one.Key, key), "%s (given as a setting)", one.Text)
	}
}

var lineNumber = regexp.MustCompile(`^line (\d+): `)

func splitLine(message string) (int, string) {
	m := lineNumber.FindStringSubmatch(message)
	if m == nil {
		return 0, message
	}
	line, _ := strconv.Atoi(m[1]) // digits, as matched
	return line, message[len(m[0]):]
}

// lines knows on which line each key of a file stands.
type lines struct {
	byKey map[string]int
}

func linesOf(text []byte) lines {
	l := lines{byKey: map[string]int{}}
	var root yaml.Node
	if yaml.Unmarshal(text, &root) == nil && len(root.Content) > 0 {
		l.walk(root.Content[0], "")
	}
	return l
}

func (l lines) walk(node *yaml.Node, path string) {
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			name := node.Content[i]
			key := within(path, name.Value)
			l.byKey[key] = name.Line
			l.walk(node.Content[i+1], key)
		}
	case yaml.SequenceNode:
		for i, item := range node.Content {
			key := fmt.Sprintf("%s[%d]", path, i)
			l.byKey[key] = item.Line
			l.walk(item, key)
		}
	}
}

// of returns the key's line, or that of the nearest key around it.
func (l lines) of(key string) int {
	for key != "" {
		if line, ok := l.byKey[key]; ok {
			return line
		}
		cut := strings.LastIndexAny(key, ".[")
		if cut < 0 {
			return 0
		}
		key = key[:cut]
	}
	return 0
}
