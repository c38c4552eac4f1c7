package legacy_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"sluice/legacy"
)

// TestConnectionsAreKept, as many as configured.
func TestConnectionsAreKept(t *testing.T) {
	for _, unkept := range []bool{false, true} {
		service := openRaw(t, answering(answerOK))
		g := openGateway(t, service.url, gatewayConfig{buffered: true, unkept: unkept})
		c := g.dial()
		for range 3 {
			c.send(postKeep)
			c.answer(http.MethodPost)
			g.ok()
		}
		service.mu.Lock()
		if n := len(service.conns); n != map[bool]int{false: 1, true: 3}[unkept] {
			t.Errorf("unkept %v: %d connections", unkept, n)
		}
		service.mu.Unlock()
	}
}

// TestCloseClosesWhatIsKept.
func TestCloseClosesWhatIsKept(t *testing.T) {
	closed := make(chan struct{})
	service := openRaw(t, func(c *rawConn) {
		answering(answerOK)(c)
		close(closed)
	})
	g := openGateway(t, service.url, gatewayConfig{})
	g.exchange(getClose)
	g.ok()
	g.forwarder.Close()
	<-closed
}

// TestLegacyCannotChooseHTTP2 in the handshake either.
func TestLegacyCannotChooseHTTP2(t *testing.T) {
	service := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }))
	service.EnableHTTP2 = true
	service.StartTLS()
	defer service.Close()
	roots := service.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	g := openGateway(t, service.URL, gatewayConfig{Config: legacy.Config{TLS: &tls.Config{RootCAs: roots, NextProtos: []string{"h2"}}}})
	if _, _, body := lines(g.exchange(getClose)); body != "HTTP/1.1" {
		t.Errorf("legacy was asked in %q", body)
	}
	g.ok()
}

// TestManyAtOnce: nobody gets another's answer, whatever the size.
func TestManyAtOnce(t *testing.T) {
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Echo", r.Header.Get("X-Id"))
		http.NewResponseController(w).EnableFullDuplex() // it answers while it reads
		io.Copy(w, r.Body)
	}))
	defer service.Close()
	bothWays(t, func(t *testing.T, buffered bool) {
		g := openGateway(t, service.URL, gatewayConfig{buffered: buffered})
		transport := &http.Transport{MaxIdleConnsPerHost: 16}
		defer transport.CloseIdleConnections()
		var all sync.WaitGroup
		for worker := range 16 {
			all.Go(func() {
				for n := range 12 {
					id := fmt.Sprintf("%d-%d", worker, n)
					if err := echo(&http.Client{Transport: transport, Timeout: patience}, g.url("/"+id), id, strings.Repeat(id+",", 1+n*n*200)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		for range 16 * 12 {
			g.ok()
		}
	})
}

// echo posts the body, chunked if the id ends in an odd digit, and wants it back.
func echo(client *http.Client, url, id, body string) error {
	var from io.Reader = strings.NewReader(body)
	if id[len(id)-1]%2 == 1 {
		from = io.MultiReader(from)
	}
	request, err := http.NewRequest(http.MethodPost, url, from)
	if err != nil {
		return err
	}
	request.Header.Set("X-Id", id)
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	back, err := io.ReadAll(response.Body)
	if err != nil || string(back) != body || response.Header.Get("X-Echo") != id {
		return fmt.Errorf("%s: sent %d bytes, got %d of %q, %v", id, len(body), len(back), response.Header.Get("X-Echo"), err)
	}
	return nil
}
