package configs

import (
	"bytes"
	"fmt"
	"net/url"

	"go.yaml.in/yaml/v3"
)

// YAML returns the effective configuration, passwords left out.
func (c Config) YAML() (string, error) {
	c.Worker.Stores.redact()
	c.Worker.ShadowStores.redact()
	var text bytes.Buffer
	enc := yaml.NewEncoder(&text)
	enc.SetIndent(2)
	if err := enc.Encode(c); err != nil {
		return "", fmt.Errorf("configuration: %w", err)
	}
	return text.String(), nil
}

func (s *Stores) redact() {
	for _, dsn := range []*string{&s.Document, &s.Vector, &s.Graph, &s.Cache} {
		u, err := url.Parse(*dsn)
		if err != nil || u.Opaque != "" {
			continue // a path
		}
		if query := u.Query(); query.Has("password") {
			query.Set("password", "xxxxx")
			u.RawQuery = query.Encode()
		}
		*dsn = u.Redacted()
	}
}
