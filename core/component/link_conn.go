package component

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/socket"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// linkConn is one connection of a Link: the stream.Handler of its stream.Conn. Its fields belong to the
// goroutine of Run.
type linkConn struct {
	*stream.Conn
	link     *Link
	answered bool // the server's header has arrived

	cancelFeed context.CancelFunc
	feeding    sync.WaitGroup
}

// connect runs one connection from its beginning to its end.
func (l *Link) connect(ctx context.Context) error {
	dialer := net.Dialer{Timeout: dialTime}
	nc, err := dialer.DialContext(ctx, "tcp", l.opts.Addr)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	c := &linkConn{link: l, cancelFeed: func() {}}
	c.Conn = stream.NewConn(context.Background(), &l.stream, socket.New(nc), c)
	c.Expire(time.Now().Add(defaultWait), errLate)
	stop := context.AfterFunc(ctx, func() { c.Stop(stream.ErrLeave) })
	defer stop()
	c.SendHeader(&stream.Header{Content: stanza.NSComponent, To: l.opts.Domain.String()}) // XEP-0114 §3
	err = c.Run()
	c.cancelFeed()
	c.feeding.Wait()
	if errors.Is(err, stream.ErrLeave) && c.Established() {
		c.leave()
	}
	c.Close(err, nil)
	l.requeue(c.Conn)
	return c.explain(err)
}

// leave sends the waiting stanzas, as far as drainTime allows, and ends the stream.
func (c *linkConn) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	c.link.drain(ctx, c.Conn)
	if err := c.Leave(); !errors.Is(err, stream.ErrEnded) {
		c.Log().Debug("stream not ended by the peer", "err", err)
	}
}

// Open answers the server's header with the handshake.
func (c *linkConn) Open(h *stream.Header) error {
	c.answered = true
	proof := "<handshake>" + handshake(h.ID, c.link.opts.Secret) + "</handshake>"
	c.Queue().AppendBytes([]byte(proof))
	return nil
}

// Negotiate handles the server's answer to the handshake.
func (c *linkConn) Negotiate(it *stream.Item) error {
	l := c.link
	if !it.Is(stanza.NSComponent, "handshake") {
		return stream.NewError(stream.UnsupportedStanzaType, "")
	}
	c.SetLimits(stream.Limits{Bytes: l.opts.MaxBytes}.Or(stream.ForServers()))
	c.Establish()
	l.log.Info("component link is up", "addr", l.opts.Addr)
	l.opts.State(nil)
	ctx, cancel := context.WithCancel(context.Background())
	c.cancelFeed = cancel
	c.feeding.Go(func() { l.feed(ctx, c.Conn) })
	return nil
}

// Receive passes a stanza to the link's handler.
func (c *linkConn) Receive(it *stream.Item) error {
	c.link.receive(c.Conn, it)
	return nil
}

// Flush passes the errors of refused stanzas to the handler.
func (c *linkConn) Flush() {
	if c.Established() {
		c.link.returnRefused()
	}
}

// Ping asks a silent server for an answer. It comes back to us.
func (c *linkConn) Ping() *stanza.Stanza { return newPing(c.link.opts.Domain, c.link.opts.Domain) }

// explain wraps the reason for the end of a connection with its meaning for the handshake.
func (c *linkConn) explain(err error) error {
	p, isPeer := errors.AsType[stream.PeerError](err)
	e, isStream := errors.AsType[*stream.Error](err)
	switch {
	case c.Established():
		return err
	case !c.answered && isStream && e.Condition != stream.ConnectionTimeout: // such as a listener for clients
		return fmt.Errorf("%w: %w: read stream header: %w", ErrRefused, ErrNotComponents, err)
	case !c.answered:
		return fmt.Errorf("read stream header: %w", err)
	case isPeer && wrongSettings(p.Cause.Condition):
		return fmt.Errorf("%w: %w", ErrRefused, err)
	case isPeer:
		return err
	case errors.Is(err, stream.ErrEnded):
		return fmt.Errorf("%w: without a reason", ErrRefused)
	}
	return fmt.Errorf("read answer to the handshake: %w", err)
}

// wrongSettings reports whether a stream error is because of our settings, so that to try again does not help.
func wrongSettings(c stream.Condition) bool {
	switch c {
	case stream.NotAuthorized, stream.HostUnknown, stream.InvalidFrom, stream.InvalidNamespace:
		return true
	}
	return false
}
