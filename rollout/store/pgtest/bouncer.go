package pgtest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Bouncer is a pgbouncer in front of a Server: Debian's own, with its defaults but
// for where it listens and who may log in.
type Bouncer struct {
	address string
	process *exec.Cmd
	output  bytes.Buffer
	ended   chan struct{}
}

// Bounce starts a pgbouncer in the pool mode session, transaction or statement.
// Settings such as "default_pool_size = 5" come on top of the defaults. Needs
// Debian's package pgbouncer.
func (s *Server) Bounce(mode string, settings ...string) (*Bouncer, error) {
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		if program = "/usr/sbin/pgbouncer"; !exists(program) {
			return nil, fmt.Errorf("there is no pgbouncer: install Debian's package pgbouncer: %w", err)
		}
	}
	for try := 0; ; try++ {
		b, err := s.bounce(program, mode, settings)
		if err == nil || try == 5 || !strings.Contains(err.Error(), "in use") { // the port that was free
			return b, err
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func (s *Server) bounce(program, mode string, settings []string) (*Bouncer, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b := &Bouncer{address: listener.Addr().String(), ended: make(chan struct{})}
	if err := listener.Close(); err != nil {
		return nil, err
	}
	_, port, _ := strings.Cut(b.address, ":")
	_, behind, _ := strings.Cut(s.Address(), ":")
	dir := filepath.Join(filepath.Dir(s.dir), "pgbouncer-"+port)
	ini := fmt.Sprintf("[databases]\n* = host=127.0.0.1 port=%s\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = %s\n"+
		"unix_socket_dir =\nauth_type = trust\nauth_file = %s/users\npool_mode = %s\n%s\n", behind, port, dir, mode, strings.Join(settings, "\n"))
	for name, text := range map[string]string{"pgbouncer.ini": ini, "users": "\"sluice\" \"\"\n"} {
		if err := s.write(dir, name, text); err != nil {
			return nil, err
		}
	}
	b.process = exec.Command(program, filepath.Join(dir, "pgbouncer.ini"))
	b.process.SysProcAttr, b.process.Dir = s.as, dir
	b.process.Stdout, b.process.Stderr = &b.output, &b.output
	if err := b.process.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(b.ended)
		_ = b.process.Wait() // it ends when it is told to, one way or another
	}()
	return b, b.await()
}

// write makes a file that the server's user can read.
func (s *Server) write(dir, name, text string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)
}

// await returns once it serves.
func (b *Bouncer) await() error {
	for range 600 {
		select {
		case <-b.ended:
			return fmt.Errorf("pgbouncer ended:\n%s", b.output.String())
		case <-time.After(20 * time.Millisecond):
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		conn, err := pgx.Connect(ctx, b.DSN("postgres"))
		if err == nil {
			err = conn.Close(ctx)
		}
		cancel()
		if err == nil {
			return nil
		}
	}
	b.Stop()
	return fmt.Errorf("pgbouncer is not ready:\n%s", b.output.String())
}

// DSN names a database of the server, through the pooler.
func (b *Bouncer) DSN(database string) string {
	return "postgres://sluice@" + b.address + "/" + database + "?sslmode=disable"
}

// Through returns the DSN of a database that Server.Database made, through the
// pooler.
func (b *Bouncer) Through(dsn string) string {
	database, _, _ := strings.Cut(dsn[strings.LastIndexByte(dsn, '/')+1:], "?")
	return b.DSN(database)
}

// Stop ends it; open connections are cut.
func (b *Bouncer) Stop() {
	_ = b.process.Process.Signal(syscall.SIGTERM) // fails if it has ended
	<-b.ended
}
