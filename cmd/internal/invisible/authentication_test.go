package invisible_test

import (
	"fmt"
	"strings"
	"testing"
)

// ntlm is a service that authenticates a connection, as IIS does with NTLM and
// Negotiate: whoever speaks on it afterwards is that user.
func ntlm(scheme string) func() script {
	return each(func(x *exchange) {
		x.body()
		said := strings.Join(x.request.values("authorization"), "")
		answer := func(status, challenge, body string) {
			if challenge != "" {
				challenge = "WWW-Authenticate: " + challenge + "\r\n"
			}
			x.say(fmt.Sprintf("HTTP/1.1 %s\r\nContent-Type: a/b\r\n%sContent-Length: %d\r\n\r\n%s", status, challenge, len(body), body))
		}
		switch user, proves := strings.CutPrefix(said, scheme+" proof:"); {
		case said == scheme+" hello":
			x.link.user = "challenged"
			answer("401 Unauthorized", scheme+" challenge", "")
		case proves && x.link.user == "challenged":
			x.link.user = user
			answer("200 OK", "", "hello "+user)
		case proves, x.link.user == "", x.link.user == "challenged":
			x.link.user = ""
			answer("401 Unauthorized", scheme, "who are you?")
		default:
			answer("200 OK", "", "hello "+x.link.user)
		}
	})
}

// TestConnectionBoundAuthentication: what legacy binds to a connection is one
// client's.
func TestConnectionBoundAuthentication(t *testing.T) {
	var rows []row
	for _, scheme := range []string{"NTLM", "Negotiate"} {
		for where, with := range map[string]func(lines ...string) string{
			"elsewhere":    func(lines ...string) string { return request("GET", "/private", "", lines...) },
			"on the route": func(lines ...string) string { return post(`{"doc_id":"private"}`, lines...) },
		} {
			login := func(c *client, user string) {
				c.ask(with())
				c.ask(with("Authorization: " + scheme + " hello"))
				c.ask(with("Authorization: " + scheme + " proof:" + user))
			}
			rows = append(rows,
				row{name: scheme + " " + where, legacy: ntlm(scheme), client: func(c *client) {
					login(c, "ada")
					c.ask(with())
					c.ask(with())
				}},
				row{name: scheme + ", another client, " + where, legacy: ntlm(scheme), client: func(c *client) {
					login(c, "ada")
					other := c.another()
					other.ask(with())
					login(other, "charles")
					c.ask(with())
					other.ask(with())
					c.another().ask(with())
				}},
				row{name: scheme + ", the client after it, " + where, legacy: ntlm(scheme), client: func(c *client) {
					login(c, "ada")
					c.conn.Close()
					for range 5 {
						c.another().ask(with())
					}
				}},
				row{name: scheme + ", two at a time, " + where, legacy: ntlm(scheme), client: func(c *client) {
					other := c.another()
					c.ask(with("Authorization: " + scheme + " hello"))
					other.ask(with("Authorization: " + scheme + " hello"))
					c.ask(with("Authorization: " + scheme + " proof:ada"))
					other.ask(with("Authorization: " + scheme + " proof:charles"))
					c.ask(with())
					other.ask(with())
				}},
			)
		}
	}
	play(t, rows)
}
