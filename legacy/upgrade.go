package legacy

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"sluice/rollout"
)

// switchProtocols joins client and legacy after a 101 until either side ends.
func (f *Forwarder) switchProtocols(w http.ResponseWriter, r *http.Request, response *http.Response) (rollout.Result, error) {
	asked, agreed := upgradeType(r.Header), upgradeType(response.Header)
	if !strings.EqualFold(asked, agreed) {
		return rollout.Result{}, fmt.Errorf("%w: it changed to protocol %q where %q was asked for", ErrBroken, agreed, asked)
	}
	upstream, ok := response.Body.(io.ReadWriteCloser)
	if !ok {
		return rollout.Result{}, fmt.Errorf("%w: a 101 without a connection", ErrBroken)
	}
	client, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return rollout.Result{}, fmt.Errorf("%w: the client's connection cannot change protocol: %w", ErrBroken, err)
	}
	defer client.Close()
	defer upstream.Close()
	if framed, ok := client.(interface{ Release() }); ok {
		framed.Release() // from here on it is not HTTP
	}
	result := rollout.Result{Status: http.StatusSwitchingProtocols, Outcome: rollout.OutcomeOK}
	head := endToEnd(response.Header)
	head["Connection"], head["Upgrade"] = []string{"Upgrade"}, []string{agreed}
	copyHeader(head, w.Header())
	response.Header, response.Body = head, nil
	if err := errors.Join(response.Write(buffered), buffered.Flush()); err != nil {
		result.Outcome, result.Err = rollout.OutcomeCanceled, err
		return result, nil
	}
	result.BytesOut = join(client, buffered, upstream)
	return result, nil
}

// join copies both ways and returns the number of bytes that went to the
// client. The end of either direction ends both.
func join(client net.Conn, fromClient io.Reader, upstream io.ReadWriteCloser) int64 {
	ended := make(chan int64, 2)
	go func() {
		_, _ = io.Copy(upstream, fromClient) // its end is what matters, not why
		ended <- 0
	}()
	go func() {
		n, _ := io.Copy(client, upstream)
		ended <- n
	}()
	n := <-ended
	client.Close()
	upstream.Close()
	return n + <-ended
}
