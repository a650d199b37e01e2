package boshpeer

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
)

// Conn is a session as a net.Conn: each Write has one element, or one of the open and close of RFC 7395, and what is read are the elements
// of all answers. One request waits at the server; another one may be under way beside it (XEP-0124 §4).
type Conn struct {
	net.Conn // of the elements
	out      net.Conn
	do       func(ctx context.Context, body string) (string, error)
	ctx      context.Context
	stop     context.CancelFunc
	running  sync.WaitGroup
	wake     chan struct{}

	mu      sync.Mutex
	queue   []string // bodies without rid and sid
	rid     int64
	sid     string
	under   int // requests
	ended   bool
	ordered chan struct{} // closed when the answer to the latest request has been read
}

// New returns a client. do makes one request and returns the body of its answer.
func New(do func(ctx context.Context, body string) (string, error)) *Conn {
	in, out := net.Pipe()
	ctx, stop := context.WithCancel(context.Background())
	first := make(chan struct{})
	close(first)
	var number [4]byte
	_, _ = rand.Read(number[:]) // it never fails
	c := &Conn{Conn: in, out: out, do: do, ctx: ctx, stop: stop, wake: make(chan struct{}, 1), rid: int64(binary.BigEndian.Uint32(number[:])), ordered: first}
	c.running.Go(c.run)
	return c
}

// Write implements net.Conn.
func (c *Conn) Write(p []byte) (int, error) {
	s := string(p)
	body := "%s>" + strings.ReplaceAll(s, "%", "%%") + "</body>"
	c.mu.Lock()
	switch {
	case strings.HasPrefix(s, "<open ") && c.rid > 0 && c.sid == "" && len(c.queue) == 0:
		body = "%s to='" + attribute(s, "to") + "' ver='1.6' wait='30' hold='1'/>"
	case strings.HasPrefix(s, "<open "):
		body = "%s to='" + attribute(s, "to") + "' xmpp:restart='true' xmlns:xmpp='urn:xmpp:xbosh'/>"
	case strings.HasPrefix(s, "<close "):
		body = "%s type='terminate'/>"
	}
	c.queue = append(c.queue, body)
	c.mu.Unlock()
	c.signal()
	return len(p), nil
}

func attribute(tag, name string) string {
	_, rest, _ := strings.Cut(tag, " "+name+"='")
	value, _, _ := strings.Cut(rest, "'")
	return value
}

func (c *Conn) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// run makes requests while the session lasts.
func (c *Conn) run() {
	for {
		body, before, after, ok := c.next()
		if ok {
			c.running.Go(func() { c.request(body, before, after) })
			continue
		}
		select {
		case <-c.wake:
		case <-c.ctx.Done():
			return
		}
	}
}

// next returns the body of the next request, if it is time for one.
func (c *Conn) next() (body string, before <-chan struct{}, after chan struct{}, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	started := c.sid != ""
	switch {
	case c.ended, c.under == 2, !started && c.under > 0, !started && len(c.queue) == 0, c.under > 0 && len(c.queue) == 0:
		return "", nil, nil, false
	}
	rest := "%s/>"
	if len(c.queue) > 0 {
		rest, c.queue = c.queue[0], c.queue[1:]
	}
	c.rid++
	tag := fmt.Sprintf("<body xmlns='http://jabber.org/protocol/httpbind' rid='%d'", c.rid)
	if started {
		tag += " sid='" + c.sid + "'"
	}
	c.under++
	before, after = c.ordered, make(chan struct{})
	c.ordered = after
	return fmt.Sprintf(rest, tag), before, after, true
}

// request makes one request and reads its answer when those before it have been read.
func (c *Conn) request(body string, before <-chan struct{}, after chan struct{}) {
	defer close(after)
	answer, err := c.do(c.ctx, body)
	<-before
	tag, content, _ := strings.Cut(answer, ">")
	content, _, whole := cutLast(content, "</body>")
	c.mu.Lock()
	c.under--
	if c.sid == "" {
		c.sid = attribute(tag, "sid")
	}
	c.ended = c.ended || err != nil || strings.Contains(tag, " type='terminate'") || c.sid == ""
	last := c.ended && c.under == 0
	c.mu.Unlock()
	if whole {
		_, _ = io.Copy(c.out, bytes.NewReader([]byte(content)))
	}
	if last {
		_ = c.out.Close()
	}
	c.signal()
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// Close implements net.Conn.
func (c *Conn) Close() error {
	c.stop()
	_ = c.out.Close()
	err := c.Conn.Close()
	c.running.Wait()
	return err
}
