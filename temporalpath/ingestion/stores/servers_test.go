package stores_test

import (
	"bytes"
	"fmt"
	"log"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const postgresBin = "/usr/lib/postgresql/15/bin"

// The servers of this run; set before the first test.
var postgresDSN, redisDSN string

// TestMain runs the tests with a PostgreSQL and a Redis of their own. Needs
// Debian's packages postgresql-15 and redis-server.
func TestMain(m *testing.M) {
	code, err := withServers(m.Run)
	if err != nil {
		log.Fatal(err)
	}
	os.Exit(code)
}

func withServers(run func() int) (int, error) {
	dir, err := os.MkdirTemp("", "stores-servers")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	stopPostgres, err := startPostgres(dir)
	if err != nil {
		return 0, err
	}
	defer stopPostgres()
	stopRedis, err := startRedis(dir)
	if err != nil {
		return 0, err
	}
	defer stopRedis()
	return run(), nil
}

// every calls test once for each technology, with a DSN to which parameters can
// be added after "&", of a place that no other test uses.
func every(t *testing.T, test func(t *testing.T, dsn string)) {
	own := "namespace=" + strings.ToLower(t.Name())
	t.Run("sqlite", func(t *testing.T) { test(t, "sqlite:"+filepath.Join(t.TempDir(), "stores.db")+"?"+own) })
	t.Run("postgres", func(t *testing.T) { test(t, postgresDSN+"&"+own) })
	t.Run("redis", func(t *testing.T) { test(t, redisDSN+"?"+own) })
}

func startPostgres(dir string) (stop func(), err error) {
	as, err := ordinaryUser(dir)
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "postgres")
	initdb := exec.Command(postgresBin+"/initdb", "-D", data, "-U", "sluice", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
	initdb.SysProcAttr, initdb.Dir = as, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb (is postgresql-15 installed?): %w\n%s", err, out)
	}
	server := exec.Command(postgresBin+"/postgres", "-D", data, "-p", port, "-h", "127.0.0.1",
		"-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "max_connections=200")
	server.SysProcAttr, server.Dir = as, dir
	postgresDSN = "postgres://sluice@127.0.0.1:" + port + "/postgres?sslmode=disable"
	return serve(server, syscall.SIGINT, func() bool {
		return exec.Command(postgresBin+"/pg_isready", "-q", "-h", "127.0.0.1", "-p", port).Run() == nil
	})
}

func startRedis(dir string) (stop func(), err error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	server := exec.Command("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", dir)
	redisDSN = "redis://127.0.0.1:" + port + "/0"
	return serve(server, syscall.SIGTERM, func() bool {
		conn, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err != nil {
			return false
		}
		return conn.Close() == nil
	})
}

// serve starts server and waits until it is ready.
func serve(server *exec.Cmd, end syscall.Signal, ready func() bool) (stop func(), err error) {
	var output bytes.Buffer
	server.Stdout, server.Stderr = &output, &output
	if err := server.Start(); err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go func() {
		server.Wait()
		close(ended)
	}()
	stop = func() {
		server.Process.Signal(end)
		<-ended
	}
	for range 600 {
		select {
		case <-ended:
			return nil, fmt.Errorf("%s ended:\n%s", server.Path, output.String())
		case <-time.After(50 * time.Millisecond):
		}
		if ready() {
			return stop, nil
		}
	}
	stop()
	return nil, fmt.Errorf("%s is not ready:\n%s", server.Path, output.String())
}

// ordinaryUser makes dir the property of the user postgres if the test runs as
// root, as whom PostgreSQL refuses to run.
func ordinaryUser(dir string) (*syscall.SysProcAttr, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, _ := strconv.Atoi(account.Uid)
	gid, _ := strconv.Atoi(account.Gid)
	if err := os.Chown(dir, uid, gid); err != nil {
		return nil, err
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
}

func freePort() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port), nil
}
