// Package nginxtest runs a real nginx for tests, in front of whatever they want.
package nginxtest

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Doors are where an nginx listens, host:port.
type Doors struct {
	// Plain speaks to its upstream as nginx does by default: HTTP/1.0, one connection
	// for each request, bodies and answers buffered.
	Plain string
	// Kept speaks HTTP/1.1 on kept connections and buffers nothing.
	Kept string
}

// Start runs nginx in front of the upstream, host:port, until the test ends.
func Start(t testing.TB, upstream string) Doors {
	t.Helper()
	dir := t.TempDir()
	var doors [2]string
	var sockets []*os.File
	for i := range doors {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close() // nginx has its own copy by then
		socket, err := listener.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		defer socket.Close()
		doors[i], sockets = listener.Addr().String(), append(sockets, socket)
	}
	file := filepath.Join(dir, "nginx.conf")
	text := strings.NewReplacer("DIR", dir, "PLAIN", doors[0], "KEPT", doors[1], "UPSTREAM", upstream).Replace(configuration)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, dir, file, sockets)
	return Doors{Plain: doors[0], Kept: doors[1]}
}

// run hands the sockets over as one nginx does to the next, so that there is no
// moment in which a port is free, nor one in which nobody listens.
func run(t testing.TB, dir, file string, sockets []*os.File) {
	t.Helper()
	var output bytes.Buffer
	nginx := exec.Command("nginx", "-p", dir, "-c", file, "-e", filepath.Join(dir, "error.log"))
	nginx.Stdout, nginx.Stderr = &output, &output
	nginx.ExtraFiles = sockets
	inherited := "NGINX="
	for i := range sockets {
		inherited += fmt.Sprint(3+i, ";")
	}
	nginx.Env = append(os.Environ(), inherited)
	if err := nginx.Start(); err != nil {
		t.Fatalf("nginxtest: %v (Debian: apt-get install nginx-light)", err)
	}
	t.Cleanup(func() {
		_ = nginx.Process.Signal(syscall.SIGTERM) // it may have ended by itself
		_ = nginx.Wait()
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(dir, "error.log"))
			t.Logf("nginx: %s%s", output.String(), log)
		}
	})
}

const configuration = `
daemon off;
worker_processes 1;
user root;
pid DIR/pid;
error_log DIR/error.log warn;
events { worker_connections 512; }
http {
  access_log off;
  client_max_body_size 0;
  client_body_temp_path DIR/body;
  proxy_temp_path DIR/proxy;
  fastcgi_temp_path DIR/fastcgi;
  uwsgi_temp_path DIR/uwsgi;
  scgi_temp_path DIR/scgi;
  # Else nginx sends its own.
  proxy_pass_header Date;
  proxy_pass_header Server;
  upstream service { server UPSTREAM; keepalive 8; }
  server {
    listen PLAIN;
    location / { proxy_pass http://UPSTREAM; proxy_set_header Host $host; }
  }
  server {
    listen KEPT;
    location / {
      proxy_pass http://service;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_buffering off;
      proxy_request_buffering off;
    }
  }
}
`
