package legacy_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"sluice/legacy"
)

// TestTargetIsVerbatim: path and query reach legacy byte for byte, under the
// base path.
func TestTargetIsVerbatim(t *testing.T) {
	for _, test := range []struct{ base, target, want string }{
		{"", "/", "/"},
		{"", "/a/b?x=1&y=2", "/a/b?x=1&y=2"},
		{"", "/x?a=1;b=2&c=%zz", "/x?a=1;b=2&c=%zz"},
		{"", "/x?", "/x?"},
		{"", "/x??a", "/x??a"},
		{"", "/x?a=%2f%2F+%20&&=", "/x?a=%2f%2F+%20&&="},
		{"", "//x", "//x"},
		{"", "//x//y?z", "//x//y?z"},
		{"", "///", "///"},
		{"", "//x/%2F%7e", "//x/%2F%7e"},
		{"", "//host:80/p", "//host:80/p"},
		{"", "/a%2Fb%2fc/%7Ed/%41", "/a%2Fb%2fc/%7Ed/%41"},
		{"", "/a/../b/./c//d", "/a/../b/./c//d"},
		{"", "/a;v=1/b:c@d/!$&'()*+,=~", "/a;v=1/b:c@d/!$&'()*+,=~"},
		{"", "/a\"<>\\^`{|}b", "/a\"<>\\^`{|}b"},
		{"", "/\xc3\xa9/\xff?\xff", "/\xc3\xa9/\xff?\xff"},
		{"", "/a#b?c#d", "/a#b?c#d"},
		{"", "http://front.test/a%2F?b", "/a%2F?b"},
		{"", "http://front.test", "/"},
		{"", "http://front.test?b=1", "/?b=1"},
		{"", "http://front.test//x", "//x"},
		{"/base", "/", "/base/"},
		{"/base/", "/a%2Fb?c", "/base/a%2Fb?c"},
		{"/base", "//x", "/base//x"},
		{"/b%2Fe", "/x", "/b%2Fe/x"},
		{"/base", "/../x", "/base/../x"},
		{"/base", "http://front.test?b", "/base/?b"},
	} {
		service := openRaw(t, answering(answerOK))
		g := openGateway(t, service.url+test.base, gatewayConfig{})
		g.exchange("GET " + test.target + " HTTP/1.1\r\nHost: front.test\r\nConnection: close\r\n\r\n")
		all := service.requests()
		if len(all) != 1 {
			t.Errorf("%s%s: legacy got %d requests", test.base, test.target, len(all))
			continue
		}
		if got, want := all[0].line(), "GET "+test.want+" HTTP/1.1"; got != want {
			t.Errorf("base %q: %q reached legacy as %q", test.base, test.target, got)
		}
	}
}

// TestTargetOfTheServer: OPTIONS * is about legacy, not about a path under it.
func TestTargetOfTheServer(t *testing.T) {
	service := openRaw(t, answering(answerOK))
	g := openGateway(t, service.url+"/base", gatewayConfig{})
	g.exchange("OPTIONS * HTTP/1.1\r\nHost: front.test\r\nConnection: close\r\n\r\n")
	if got := service.only(t).line(); got != "OPTIONS * HTTP/1.1" {
		t.Errorf("legacy got %q", got)
	}
}

// TestUnusualMethods reach legacy as they are.
func TestUnusualMethods(t *testing.T) {
	for _, method := range []string{"PROPFIND", "PATCH", "get", "X-DO!"} {
		service := openRaw(t, answering(answerOK))
		g := openGateway(t, service.url, gatewayConfig{})
		c := g.dial()
		c.send(method + " /x HTTP/1.1\r\nHost: front.test\r\n\r\n")
		c.answer(http.MethodGet)
		if got := service.only(t).line(); got != method+" /x HTTP/1.1" {
			t.Errorf("legacy got %q", got)
		}
	}
}

// TestNewRefuses what it could not forward to, or would have to forget.
func TestNewRefuses(t *testing.T) {
	for _, raw := range []string{"", "/path", "ftp://a/", "http:///x", "http:opaque", "http://a/?q=1", "http://a/#f", "http://user:secret@a/"} {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		_, err = legacy.New(legacy.Config{URL: u})
		if err == nil {
			t.Errorf("%q was taken", raw)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the password is in the error: %v", raw, err)
		}
	}
	if _, err := legacy.New(legacy.Config{}); err == nil {
		t.Error("no URL was taken")
	}
}
