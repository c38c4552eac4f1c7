package endtoend_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// asLoad makes the test binary a legacy service and its clients, so that what a
// gateway costs can be told from what they cost.
const asLoad = "SLUICE_TEST_LOAD"

// serveLoad says where it listens and serves until its standard input ends:
// documents as a legacy service, and GET /load?to=host:port&field=doc_id&posts=N,
// which posts N documents there, with the id in that field; with rate=R so many a
// second. It answers with how many failed, and the p50 and the p99 in nanoseconds.
// With a query delay=D in a document's path the service takes so long.
func serveLoad() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		listener.Close()
	}()
	l := &loader{client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: loadClients}}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/documents", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if delay, err := time.ParseDuration(r.URL.Query().Get("delay")); err == nil {
			time.Sleep(delay)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"status":"ok"}`)
	})
	mux.HandleFunc("GET /load", l.serve)
	if err := http.Serve(listener, mux); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// loadClients is how many clients post at a time.
const loadClients = 16

type loader struct {
	client *http.Client
	next   atomic.Int64
}

func (l *loader) serve(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	posts, err := strconv.Atoi(q.Get("posts"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	rate, _ := strconv.ParseFloat(q.Get("rate"), 64) // none is as fast as it goes
	var clients sync.WaitGroup
	var failed, next atomic.Int64
	took := make([]time.Duration, posts)
	start := time.Now()
	for range loadClients {
		clients.Go(func() {
			for i := next.Add(1) - 1; i < int64(posts); i = next.Add(1) - 1 {
				if rate > 0 {
					time.Sleep(time.Until(start.Add(time.Duration(float64(i) / rate * float64(time.Second)))))
				}
				began := time.Now()
				if !l.post(q.Get("to"), q.Get("field"), q.Get("delay")) {
					failed.Add(1)
				}
				took[i] = time.Since(began)
			}
		})
	}
	clients.Wait()
	slices.Sort(took)
	fmt.Fprintln(w, failed.Load(), int64(took[len(took)/2]), int64(took[len(took)*99/100]))
}

func (l *loader) post(to, field, delay string) bool {
	body := fmt.Sprintf(`{%q:"load-%d","text":%q}`, field, l.next.Add(1), strings.Repeat("x", 1000))
	response, err := l.client.Post("http://"+to+"/v1/documents?delay="+delay, "application/json", strings.NewReader(body))
	if err != nil {
		return false
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err == nil && response.StatusCode == http.StatusOK
}

// startLoad starts such a process and returns where it listens.
func startLoad(b *testing.B) string {
	b.Helper()
	child := exec.Command(os.Args[0])
	child.Env, child.Stderr = append(os.Environ(), asLoad+"=1"), os.Stderr
	stdin, err := child.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := child.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := child.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		stdin.Close()
		if err := child.Wait(); err != nil {
			b.Error(err)
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(line)
}
