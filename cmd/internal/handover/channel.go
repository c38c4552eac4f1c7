package handover

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// channel carries messages, and the files that belong to them.
type channel struct {
	conn *net.UnixConn

	sending sync.Mutex // held for each message sent

	text  []byte     // owned by the receiving goroutine: what has come of the next line
	files []*os.File // owned by the receiving goroutine: those that no message has claimed yet
}

// newChannel returns the channel if the other process belongs to the same user,
// else it closes the connection.
func newChannel(conn *net.UnixConn) (*channel, error) {
	err := checkPeer(conn)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &channel{conn: conn}, nil
}

// send sends the message and its descriptors, which stay the caller's.
func (c *channel) send(m message, descriptors ...int) error {
	m.Files = len(descriptors)
	line, err := json.Marshal(m)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	c.sending.Lock()
	defer c.sending.Unlock()
	if err := c.conn.SetWriteDeadline(time.Now().Add(sayLimit)); err != nil {
		return err
	}
	var rights []byte
	if len(descriptors) > 0 {
		rights = syscall.UnixRights(descriptors...)
	}
	n, _, err := c.conn.WriteMsgUnix(line, rights, nil)
	if err == nil && n < len(line) { // the files go with the first byte
		_, err = c.conn.Write(line[n:])
	}
	return err
}

// receive returns the next message and its files, which are the caller's to close.
// io.EOF says that the other process closed the channel, or died.
func (c *channel) receive() (message, []*os.File, error) {
	var m message
	end := bytes.IndexByte(c.text, '\n')
	for end < 0 {
		if err := c.more(); err != nil {
			return m, nil, err
		}
		end = bytes.IndexByte(c.text, '\n')
	}
	if err := json.Unmarshal(c.text[:end], &m); err != nil {
		return m, nil, fmt.Errorf("the other gateway cannot be understood: %w", err)
	}
	if m.Files < 0 || m.Files > len(c.files) {
		return m, nil, fmt.Errorf("the other gateway speaks of %d files and sent %d", m.Files, len(c.files))
	}
	c.text = c.text[end+1:]
	files := c.files[:m.Files:m.Files]
	c.files = c.files[m.Files:]
	return m, files, nil
}

// more reads once. The kernel never joins the files of two messages in one read.
func (c *channel) more() error {
	text, rights := make([]byte, 4<<10), make([]byte, syscall.CmsgSpace(16*4))
	n, m, _, _, err := c.conn.ReadMsgUnix(text, rights)
	if err != nil {
		return err
	}
	if n == 0 {
		return io.EOF
	}
	c.text = append(c.text, text[:n]...)
	controls, err := syscall.ParseSocketControlMessage(rights[:m])
	if err != nil {
		return os.NewSyscallError("recvmsg", err)
	}
	for i := range controls {
		descriptors, err := syscall.ParseUnixRights(&controls[i])
		if err != nil {
			return os.NewSyscallError("recvmsg", err)
		}
		for _, d := range descriptors {
			c.files = append(c.files, os.NewFile(uintptr(d), "handed over"))
		}
	}
	return nil
}

// close closes the connection. It may be called while receive waits.
func (c *channel) close() error {
	if err := c.conn.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

func closeAll(files []*os.File) error {
	var errs []error
	for _, f := range files {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}
