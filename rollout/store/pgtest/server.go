// Package pgtest starts a PostgreSQL server for tests: Debian's own, on a free
// port of the loopback interface, in a directory that is thrown away.
//
// Every user but Locked may log in without a password. A server that has been
// stopped or killed can be started again where it was.
package pgtest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Locked is a user whose password is Password.
const (
	Locked   = "locked"
	Password = "hunter2-correct"
)

// Server is one server. It is for one test at a time to stop and start.
type Server struct {
	dir, bin, port string
	settings       []string
	as             *syscall.SysProcAttr
	process        *exec.Cmd
	output         bytes.Buffer
	ended          chan struct{}
	databases      atomic.Int64
}

// Start makes a server below dir and starts it. Settings such as "fsync=off" come
// on top of the defaults; without that one it is as durable, and as slow, as a
// real one. Needs Debian's package postgresql.
func Start(dir string, settings ...string) (*Server, error) {
	s := &Server{dir: filepath.Join(dir, "postgres"), settings: settings}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres") // fails on a bad pattern only
	if len(found) == 0 {
		return nil, fmt.Errorf("there is no /usr/lib/postgresql/*/bin/postgres: install Debian's package postgresql")
	}
	s.bin = filepath.Dir(found[len(found)-1])
	if err := s.ordinaryUser(dir); err != nil {
		return nil, err
	}
	if err := s.freePort(); err != nil {
		return nil, err
	}
	initdb := exec.Command(s.bin+"/initdb", "-D", s.dir, "-U", "sluice", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
	initdb.SysProcAttr, initdb.Dir = s.as, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	access := "host all " + Locked + " all scram-sha-256\nhost all all all trust\n"
	if err := os.WriteFile(s.dir+"/pg_hba.conf", []byte(access), 0o600); err != nil {
		return nil, err
	}
	if err := s.firstStart(); err != nil {
		return nil, err
	}
	return s, s.exec("postgres", "CREATE ROLE "+Locked+" LOGIN PASSWORD '"+Password+"'")
}

// firstStart starts the server. Somebody else may have taken the port that was free.
func (s *Server) firstStart() error {
	err := s.Restart()
	for range 5 {
		if err == nil || !strings.Contains(err.Error(), "Address already in use") {
			break
		}
		if err = s.freePort(); err == nil {
			err = s.Restart()
		}
	}
	return err
}

// Restart starts the server, which must not be running, and waits until it is
// ready.
func (s *Server) Restart() error {
	s.process = exec.Command(s.bin+"/postgres", "-D", s.dir, "-p", s.port, "-h", "127.0.0.1",
		"-c", "unix_socket_directories=", "-c", "max_connections=400")
	for _, setting := range s.settings {
		s.process.Args = append(s.process.Args, "-c", setting)
	}
	s.process.SysProcAttr, s.process.Dir = s.as, s.dir
	s.output.Reset()
	s.process.Stdout, s.process.Stderr = &s.output, &s.output
	if err := s.process.Start(); err != nil {
		return err
	}
	s.ended = make(chan struct{})
	go func() {
		defer close(s.ended)
		_ = s.process.Wait() // it ends when it is told to, one way or another
	}()
	for range 600 {
		select {
		case <-s.ended:
			return fmt.Errorf("postgres ended:\n%s", s.output.String())
		case <-time.After(20 * time.Millisecond):
		}
		if s.exec("postgres", "SELECT 1") == nil {
			return nil
		}
	}
	s.Kill()
	return fmt.Errorf("postgres is not ready:\n%s", s.output.String())
}

// Stop ends the server in order; open connections are cut.
func (s *Server) Stop() { s.end(syscall.SIGINT) }

// Kill ends the server as a crash does: it recovers when it is started again.
func (s *Server) Kill() { s.end(syscall.SIGQUIT) }

func (s *Server) end(by syscall.Signal) {
	_ = s.process.Process.Signal(by) // fails if it has ended
	<-s.ended
}

// Address is where the server listens.
func (s *Server) Address() string { return "127.0.0.1:" + s.port }

// DSN names a database of the server.
func (s *Server) DSN(database string) string {
	return "postgres://sluice@" + s.Address() + "/" + database + "?sslmode=disable"
}

// Database makes an empty database and returns its DSN.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := "test" + strconv.FormatInt(s.databases.Add(1), 10)
	if err := s.exec("postgres", "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	return s.DSN(name)
}

func (s *Server) exec(database, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.DSN(database))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	if closed := conn.Close(ctx); err == nil {
		err = closed
	}
	return err
}

// ordinaryUser makes dir the property of the user postgres if the test runs as
// root, as whom PostgreSQL refuses to run.
func (s *Server) ordinaryUser(dir string) error {
	if os.Getuid() != 0 {
		return nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		return err
	}
	uid, _ := strconv.Atoi(account.Uid) // a number, on Linux
	gid, _ := strconv.Atoi(account.Gid)
	s.as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	return os.Chown(dir, uid, gid)
}

func (s *Server) freePort() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.port = strings.TrimPrefix(listener.Addr().String(), "127.0.0.1:")
	return listener.Close()
}
