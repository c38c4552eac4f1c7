package temporaltest

// Option changes how a Server is started.
type Option func(*settings)

type settings struct {
	file string // SQLite database; empty: in memory
	ui   bool
}

// WithFile keeps the server's state in the SQLite database at path, created if
// absent, so that workflows go on after Kill and Restart.
func WithFile(path string) Option { return func(s *settings) { s.file = path } }

// WithUI serves the web UI too, at Server.UI.
func WithUI() Option { return func(s *settings) { s.ui = true } }
