package stores

import (
	"net/url"
	"path/filepath"
	"strings"
)

// Same reports whether two DSNs of one kind name one store: the same place and
// namespace, whoever asks and however it is written. What only the network knows,
// such as two names of one host, it cannot see. It is false for a DSN that Open
// would refuse.
func Same(a, b string) bool {
	first, err := parseDSN(a)
	if err != nil {
		return false
	}
	second, err := parseDSN(b)
	return err == nil && first.place() == second.place()
}

// place is where the location is, written in one way.
func (l location) place() string {
	if path, ok := strings.CutPrefix(l.address, "sqlite:"); ok {
		return l.namespace + " " + filePlace(path)
	}
	at, err := url.Parse(l.address)
	if err != nil {
		return l.namespace + " " + l.address
	}
	port, database := "5432", at.Path
	if strings.HasPrefix(l.scheme, "redis") {
		port = "6379"
		if strings.Trim(database, "/") == "" {
			database = "/0"
		}
	}
	if at.Port() != "" {
		port = at.Port()
	}
	query := at.Query()
	query.Del("sslmode")
	return strings.Join([]string{l.namespace, strings.ToLower(at.Hostname()), port, database, query.Encode()}, " ")
}

// filePlace is the file's whole path. Neither the file nor its directory need to
// be there.
func filePlace(path string) string {
	whole, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	if target, err := filepath.EvalSymlinks(whole); err == nil {
		return target
	}
	if directory, err := filepath.EvalSymlinks(filepath.Dir(whole)); err == nil {
		return filepath.Join(directory, filepath.Base(whole))
	}
	return whole
}
