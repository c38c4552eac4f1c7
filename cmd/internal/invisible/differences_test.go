package invisible_test

import (
	"net/http"
	"strings"
)

// difference is one that HTTP, or the place of a gateway between two connections,
// makes unavoidable. hide takes it out of both accounts.
type difference struct {
	name, why string
	hide      func(direct, through *account)
}

// always are the differences that every row may have.
func always() []difference {
	return []difference{
		{"fields of a connection", "they are for one connection, and there are two of them (RFC 9110, 7.6.1); whether the client's goes on is compared by asking again",
			both(func(n *note) { n.message.without(ofConnection()...) })},
		{"version", "each connection has its own (RFC 9110, 2.5)", both(func(n *note) { n.message.start = unversioned(n) })},
		{"forwarding fields", "they tell legacy whose request it is, and through whom it came",
			requests(func(n *note) { n.message.without("forwarded", "via", "x-real-ip", "x-forwarded-") })},
		{"Rollout fields", "they say which path a document took: the gateway's own words, documented",
			answers(func(n *note) { n.message.without("rollout-") })},
		{"reason phrase", "net/http sends the standard one, and clients must not read it (RFC 9112, 4)", pairs(standardReason)},
		{"body until the end of the connection", "an answer that legacy ends by closing is sent in chunks, so that the client's connection need not end (RFC 9112, 6.3)", pairs(chunked)},
		{"Content-Length of a 204", "RFC 9110, 8.6 forbids it", pairs(noContent)},
		{"Content-Length: 0", "for a request without a body it may be said or not, and should be where the method has one as a rule (RFC 9110, 8.6)", pairs(emptyLength)},
	}
}

func ofConnection() []string {
	return []string{"connection", "keep-alive", "proxy-connection", "transfer-encoding", "te", "trailer"}
}

// both applies to every note of both accounts.
func both(change func(n *note)) func(direct, through *account) {
	return func(direct, through *account) {
		for _, notes := range [][]note{direct.client, direct.legacy, through.client, through.legacy} {
			for i := range notes {
				change(&notes[i])
			}
		}
	}
}

// requests applies to what both services heard, answers to what both clients got.
func requests(change func(n *note)) func(direct, through *account) {
	return only(change, func(n *note) bool { return n.what == "request" })
}

func answers(change func(n *note)) func(direct, through *account) {
	return only(change, func(n *note) bool { return n.what != "request" })
}

func only(change func(n *note), which func(n *note) bool) func(direct, through *account) {
	return both(func(n *note) {
		if which(n) {
			change(n)
		}
	})
}

// pairs applies to what stands in the same place of both accounts.
func pairs(change func(direct, through *note)) func(direct, through *account) {
	return func(direct, through *account) {
		for i := range min(len(direct.client), len(through.client)) {
			change(&direct.client[i], &through.client[i])
		}
		for i := range min(len(direct.legacy), len(through.legacy)) {
			change(&direct.legacy[i], &through.legacy[i])
		}
	}
}

func unversioned(n *note) string {
	if n.what == "request" {
		return n.message.method() + " " + n.message.target()
	}
	return strings.TrimPrefix(strings.TrimPrefix(n.message.start, "HTTP/1.0 "), "HTTP/1.1 ")
}

// standardReason takes the reason phrase away if the gateway's is the standard one.
// The version is gone by then.
func standardReason(direct, through *note) {
	if through.what == "request" {
		return
	}
	code, reason, _ := strings.Cut(through.message.start, " ")
	if n := codeOf(code); reason != "" && (reason == http.StatusText(n) || reason == "status code "+code) {
		through.message.start = code
		direct.message.start, _, _ = strings.Cut(direct.message.start, " ")
	}
}

func codeOf(code string) (n int) {
	for _, c := range code {
		n = n*10 + int(c-'0')
	}
	return n
}

func chunked(direct, through *note) {
	if direct.what == "answer" && direct.message.framing == "close" && through.message.framing == "chunked" {
		through.message.framing = "close"
	}
}

func noContent(direct, through *note) {
	if through.message.start == "204" {
		direct.message.without("content-length")
	}
}

func emptyLength(direct, through *note) {
	if direct.what != "request" || direct.message.body != "" || through.message.body != "" {
		return
	}
	for _, n := range []*note{direct, through} {
		if values := n.message.values("content-length"); len(values) == 1 && values[0] == "0" {
			n.message.without("content-length")
			n.message.framing = "none"
		}
	}
}

// refused is for a request that two HTTP parsers read differently: legacy is not to
// hear of it, whatever it would have made of it.
func refused(why string) difference {
	return difference{"refused", why, func(direct, through *account) {
		if len(through.legacy) == 0 && len(through.client) > 0 && through.client[0].message.start == "400" {
			*direct, *through = account{}, account{}
		}
	}}
}

// own is for what is at the gateway's own path.
var own = difference{"own path", "/_sluice is the gateway's", func(direct, through *account) {
	if len(through.legacy) == 0 && len(through.client) > 0 && through.client[0].message.start == "404" {
		*direct, *through = account{}, account{}
	}
}}

// buffered is for a document that comes in chunks: it is read whole before anything
// is sent, and then its length is known.
var buffered = difference{"length for chunks", "a transfer coding is for one connection (RFC 9112, 6.1)", pairs(func(direct, through *note) {
	if direct.what == "request" && direct.message.framing == "chunked" && through.message.framing == "length" {
		through.message.framing = "chunked"
		through.message.without("content-length")
	}
})}

// noAnswer is for a legacy service that breaks the connection before its answer: a
// gateway says so by 502 and may keep its client's connection (RFC 9110, 15.6.3).
var noAnswer = difference{"502 for no answer", "a client's connection is not legacy's", pairs(func(direct, through *note) {
	if direct.what == "the connection is closed" && through.what == "answer" && through.message.start == "502" {
		*through = *direct
	}
})}

// askedFirst is for a document whose client waits for a 100: the gateway must know
// the document before it sends anything, so it asks for the body itself, and legacy
// is not asked whether it wants it. The final answer is legacy's all the same.
var askedFirst = difference{"100 of the gateway's", "a document is read before it is sent", func(direct, through *account) {
	final := func(notes []note) (kept []note) {
		for _, n := range notes {
			if n.what != "interim" && !strings.HasPrefix(n.what, "then came") && !strings.HasPrefix(n.what, "the connection is") {
				kept = append(kept, n)
			}
		}
		return kept
	}
	direct.client, through.client = final(direct.client), final(through.client)
	pairs(unasked)(direct, through)
}}

// unasked takes the expectation away, and the body where legacy did not wait for it.
func unasked(direct, through *note) {
	if direct.what != "request" {
		return
	}
	direct.message.without("expect")
	through.message.without("expect")
	if direct.message.body == "" {
		direct.message.body, direct.message.framing = through.message.body, through.message.framing
	}
}

// unheardExpect is for an expectation that binds nobody: in HTTP/1.0, or without a
// body (RFC 9110, 10.1.1).
var unheardExpect = difference{"an expectation of nothing", "it is not sent on", requests(func(n *note) { n.message.without("expect") })}

// foreignExpect is for an expectation that nobody has defined: net/http refuses it
// before any code of the gateway's is asked, as a server may (RFC 9110, 10.1.1).
var foreignExpect = difference{"an expectation of another kind", "no code of the gateway's hears of it", func(direct, through *account) {
	if len(through.legacy) == 0 && len(through.client) > 0 && through.client[0].message.start == "417" {
		*direct, *through = account{}, account{}
	}
}}

// restUnread is for an upload that legacy does not read to its end: how much of it
// arrived is a matter of time.
var restUnread = difference{"the rest of an upload", "how much arrives is a matter of time", requests(func(n *note) { n.message.body, n.message.framing = "", "" })}

// bytewise is for notes of bytes: the head of an answer stands among them.
var bytewise = difference{"bytes of a head", "its order of lines is not kept", both(func(n *note) {
	if i := strings.LastIndex(n.what, `\r\n\r\n`); i >= 0 && strings.Contains(n.what, "HTTP/1.1") {
		n.what = n.what[i:]
	}
})}

// kept is for a legacy service that ends its connection: the client's may go on.
var kept = difference{"a connection that goes on", "a client's connection is not legacy's (RFC 9112, 9.3)", pairs(func(direct, through *note) {
	if direct.what == "the connection is closed" && through.what == "the connection is kept" {
		*through = *direct
	}
})}

// once is for a length that is said twice: a recipient may make one of it, or refuse
// (RFC 9110, 8.6).
var once = difference{"a length said twice", "it is said once", answers(func(n *note) {
	if len(n.message.values("content-length")) == 2 {
		n.message.without("content-length")
		n.message.fields = append(n.message.fields, field{"content-length", "2"})
	}
})}

// unfolded is for a line that is folded: a gateway must unfold it (RFC 9112, 5.2).
var unfolded = difference{"a folded line", "it is unfolded", both(func(n *note) {
	for i := range n.message.fields {
		if f := &n.message.fields[i]; f.name == "x-folded" {
			f.value = "a b"
		}
	}
	n.message.without(" b")
})}

// named is for a field that Connection names: it ends with the connection.
var named = difference{"a field that Connection names", "it is for one connection (RFC 9110, 7.6.1)", requests(func(n *note) { n.message.without("x-hop") })}

// anyHost is for a request that names no host: on the next connection, which is of
// HTTP/1.1, net/http names legacy's.
var anyHost = difference{"a host for none", "HTTP/1.1 asks for one (RFC 9112, 3.2)", requests(func(n *note) { n.message.without("host") })}

// unoffered is for a protocol under which legacy would get requests that the gateway
// cannot read, or a document's, which is read first.
var unoffered = difference{"a protocol that is not offered", "requests would pass unread", requests(func(n *note) { n.message.without("upgrade", "http2-settings") })}

// nothingMore is for what follows an answer that only one of the two gave.
var nothingMore = difference{"the end", "it follows the answer", both(func(n *note) {
	if strings.HasPrefix(n.what, "then came") {
		n.what = "the end"
	}
})}

// originForm is for a target that is a whole URL: that form is for proxies, and is
// not sent on to the service itself (RFC 9112, 3.2.1).
var originForm = difference{"the form of a target", "the other form is for proxies", requests(func(n *note) {
	if _, after, ok := strings.Cut(n.message.start, "://"); ok {
		path := after[strings.IndexAny(after+"/", "/?"):]
		if !strings.HasPrefix(path, "/") {
			path = "/" + path
		}
		n.message.start = n.message.method() + " " + path
	}
	n.message.without("host") // it follows the target, which legacy might spell otherwise
})}

// early is for an answer that begins before its request has ended: whether the rest
// will be read is not known when its head is sent, so the connection ends with it.
var early = difference{"an early answer's connection", "its end is said in the head", pairs(func(direct, through *note) {
	if direct.what == "the connection is kept" && through.what == "the connection is closed" {
		*through = *direct
	}
})}

// unaskedFor is for a client that does not wait for the 100 it asked for: the gateway
// sends one, as it may (RFC 9110, 10.1.1).
var unaskedFor = difference{"a 100 that legacy did not send", "it may be sent", func(direct, through *account) {
	if len(direct.client) > 0 && direct.client[0].what == "answer" && len(through.client) > 0 && through.client[0].message.start == "100" {
		through.client = through.client[1:]
	}
}}

// ofProxies is for the fields by which a proxy asks its clients who they are: they
// end at the next one (RFC 9110, 11.7), and legacy is none.
var ofProxies = difference{"fields of proxies", "they end at the next proxy", both(func(n *note) { n.message.without("proxy-authorization", "proxy-authenticate") })}
