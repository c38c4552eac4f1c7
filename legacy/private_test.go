package legacy_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"sluice/rollout"
)

// iis authenticates connections: with a first token it hands out a challenge, with a
// second it knows who asks, and from then on it knows for all requests on it.
func iis(t testing.TB) *rawLegacy {
	return openRaw(t, func(c *rawConn) {
		challenged, user := false, ""
		for {
			h, ok := c.read()
			if !ok {
				return
			}
			scheme, token, _ := strings.Cut(h.Header.Get("Authorization"), " ")
			switch {
			case token == "bye":
				c.write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbye")
				return
			case token == "type1":
				challenged = true
				c.write("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: " + scheme + " type2\r\nContent-Length: 0\r\n\r\n")
				continue
			case strings.HasPrefix(token, "type3:") && challenged:
				user = strings.TrimPrefix(token, "type3:")
			}
			if user == "" {
				c.write("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n")
				continue
			}
			text := fmt.Sprintf("%s on %d", user, c.n)
			c.write(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(text), text))
		}
	})
}

// ask sends one request and returns status and body.
func (c *client) ask(credentials string) string {
	c.t.Helper()
	if credentials != "" {
		credentials = "Authorization: " + credentials + "\r\n"
	}
	c.send("POST /x HTTP/1.1\r\nHost: front.test\r\n" + credentials + "Content-Length: 5\r\n\r\nhello")
	got := c.answer(http.MethodPost)
	return strings.TrimSpace(fmt.Sprint(got.StatusCode, " ", got.body))
}

// TestAuthenticatedConnectionIsOneClients: through the gateway each client is who it
// is with legacy itself, whatever the others are.
func TestAuthenticatedConnectionIsOneClients(t *testing.T) {
	for _, scheme := range []string{"NTLM", "Negotiate", "negotiate"} {
		for _, unkept := range []bool{false, true} {
			bothWays(t, func(t *testing.T, buffered bool) {
				clients := &attendance{}
				g := openGateway(t, iis(t).url, gatewayConfig{buffered: buffered, unkept: unkept, tune: clients.tune})
				alice, bob := g.dial(), g.dial()
				var own string
				for i, step := range []struct {
					c    *client
					auth string
					want string
				}{
					{alice, "", "401"}, {bob, "", "401"},
					{alice, scheme + " type1", "401"}, {bob, scheme + " type1", "401"},
					{alice, scheme + " type3:alice", "200 alice on"}, {bob, "", "401"},
					{alice, "", "200 alice on"}, {bob, scheme + " type1", "401"}, {bob, scheme + " type3:bob", "200 bob on"},
					{g.dial(), "", "401"}, {bob, "", "200 bob on"}, {alice, "", "200 alice on"},
				} {
					got := step.c.ask(step.auth)
					if !strings.HasPrefix(got, step.want) {
						t.Fatalf("step %d: got %q, want %q", i, got, step.want)
					}
					if strings.Contains(got, "alice") {
						if own == "" {
							own = got
						} else if own != got {
							t.Errorf("step %d: alice was on %q and is on %q", i, own, got)
						}
					}
				}
			})
		}
	}
}

// TestPrivateConnectionClosesWithItsClient, and the other way round: to a new one
// the client would be a stranger in the middle of what it takes for a conversation.
func TestPrivateConnectionClosesWithItsClient(t *testing.T) {
	t.Run("client first", func(t *testing.T) {
		closed := make(chan error, 1)
		service := openRaw(t, func(c *rawConn) {
			c.read()
			c.write(answerOK)
			_, err := c.in.ReadByte()
			closed <- err
		})
		clients := &attendance{}
		g := openGateway(t, service.url, gatewayConfig{tune: clients.tune})
		c := g.dial()
		c.ask("NTLM type1")
		clients.each(func(c *attended) {
			if c.bound != 1 {
				t.Errorf("bound was told %d times", c.bound)
			}
		})
		c.Close()
		if err := <-closed; err != io.EOF {
			t.Errorf("legacy's side ended with %v", err)
		}
	})
	t.Run("legacy says so", func(t *testing.T) {
		clients := &attendance{}
		g := openGateway(t, iis(t).url, gatewayConfig{tune: clients.tune})
		c := g.dial()
		c.ask("NTLM type1")
		c.send("GET /x HTTP/1.1\r\nHost: front.test\r\nAuthorization: NTLM bye\r\n\r\n")
		if got := c.answer(http.MethodGet); got.body != "bye" || !got.Close {
			t.Errorf("got %q, %v", got.body, got.Header)
		}
		if rest := c.rest(); rest != "" {
			t.Errorf("and then %q", rest)
		}
	})
	t.Run("legacy hangs up", func(t *testing.T) {
		hangUp := make(chan struct{})
		service := openRaw(t, func(c *rawConn) {
			c.read()
			c.write(answerOK)
			c.await(hangUp)
		})
		clients := &attendance{}
		g := openGateway(t, service.url, gatewayConfig{tune: clients.tune})
		c := g.dial()
		c.ask("NTLM type1")
		close(hangUp)
		if rest, err := io.ReadAll(c.in); err != nil || len(rest) > 0 {
			t.Errorf("the client got %q, %v; want its connection closed", rest, err)
		}
	})
}

// TestPrivateConnectionIsNotReplaced: a request that comes when it is gone gets no
// answer, and legacy nothing of it.
func TestPrivateConnectionIsNotReplaced(t *testing.T) {
	bothWays(t, func(t *testing.T, buffered bool) {
		service := openRaw(t, func(c *rawConn) {
			c.read()
			c.write(answerOK)
		})
		clients := &attendance{late: true}
		g := openGateway(t, service.url, gatewayConfig{buffered: buffered, tune: clients.tune})
		c := g.dial()
		c.ask("NTLM type1")
		g.ok()
		clients.each(func(c *attended) { <-c.told })
		c.send(postKeep)
		if rest := c.rest(); rest != "" {
			t.Errorf("the client got %q", rest)
		}
		if e := g.end(); e.err != nil || e.result.Status != 0 || e.result.Outcome != rollout.OutcomeRefused || e.result.Err == nil {
			t.Errorf("Forward: %+v", e)
		}
		service.only(t)
	})
}

// TestCredentialsWithoutAKnownClient go on a connection that nobody else gets.
func TestCredentialsWithoutAKnownClient(t *testing.T) {
	g := openGateway(t, iis(t).url, gatewayConfig{})
	c := g.dial()
	for _, credentials := range []string{"NTLM type1", "NTLM type3:alice", "", ""} {
		if got := c.ask(credentials); got != "401" {
			t.Errorf("%q got %q", credentials, got)
		}
	}
}

// TestConnectionThatLegacyBoundIsNotShared: nobody had sent credentials that bind,
// and legacy says that it knows the connection all the same.
func TestConnectionThatLegacyBoundIsNotShared(t *testing.T) {
	bothWays(t, func(t *testing.T, buffered bool) {
		service := openRaw(t, func(c *rawConn) {
			for n := 1; ; n++ {
				if _, ok := c.read(); !ok {
					return
				}
				c.write(fmt.Sprintf("HTTP/1.1 200 OK\r\nPersistent-Auth: true\r\nContent-Length: 1\r\n\r\n%d", n))
			}
		})
		clients := &attendance{}
		g := openGateway(t, service.url, gatewayConfig{buffered: buffered, tune: clients.tune})
		first := g.dial()
		if got := first.ask(""); got != "200 1" {
			t.Fatalf("got %q", got)
		}
		for range 10 { // more than the tries on connections that happen to be closed
			if got := g.dial().ask(""); got != "200 1" {
				t.Errorf("another client got %q: the connection was somebody's", got)
			}
		}
		for want := 1; want <= 3; want++ {
			if got := first.ask(""); got != fmt.Sprint("200 ", want) {
				t.Errorf("the first client got %q", got)
			}
		}
	})
}

// TestAskedOnTheClientsConnection: what the gateway asks of legacy for a client is
// asked as that client.
func TestAskedOnTheClientsConnection(t *testing.T) {
	service := iis(t)
	clients := &attendance{}
	g := openGateway(t, service.url, gatewayConfig{tune: clients.tune, instead: func(g *gateway, w http.ResponseWriter, r *http.Request) {
		header, host := g.forwarder.Outbound(r)
		question := &http.Request{Method: http.MethodGet, URL: &url.URL{Scheme: "http", Host: service.listener.Addr().String(), Path: "/auth"}, Header: header, Host: host}
		response, err := g.forwarder.Ask(r.Context(), r, question)
		if err != nil {
			t.Error(err)
			return
		}
		defer response.Body.Close()
		w.WriteHeader(response.StatusCode)
		io.Copy(w, response.Body)
	}})
	alice, bob := g.dial(), g.dial()
	alice.ask("NTLM type1")
	if got := alice.ask("NTLM type3:alice"); !strings.HasPrefix(got, "200 alice") {
		t.Errorf("alice got %q", got)
	}
	for range 2 {
		if got := bob.ask(""); got != "401" {
			t.Errorf("bob got %q", got)
		}
		if got := alice.ask(""); !strings.HasPrefix(got, "200 alice") {
			t.Errorf("alice got %q", got)
		}
	}
}
