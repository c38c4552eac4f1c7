package nginxtest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"sluice/cmd/internal/nginxtest"
)

func TestBothDoorsLeadToTheUpstream(t *testing.T) {
	t.Parallel()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }))
	defer upstream.Close()
	doors := nginxtest.Start(t, upstream.Listener.Addr().String())
	for door, want := range map[string]string{doors.Plain: "HTTP/1.0", doors.Kept: "HTTP/1.1"} {
		response, err := http.Get("http://" + door)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || string(body) != want {
			t.Errorf("%q, %v; want %s", body, err, want)
		}
	}
}
