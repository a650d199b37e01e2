package c2s

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"time"

	"github.com/dragoman-im/dragoman/core/stream"
)

// end ends the stream because of err, then the session, then the connection.
func (c *conn) end(err error) {
	if errors.Is(err, errLeave) {
		err = c.leave()
	}
	ctx, cancel := context.WithTimeout(c.ctx, closeTime)
	defer cancel()
	if s := c.session; s != nil {
		s.end(c.ctx)
		defer s.giveBack()
	}
	c.batch.Flush()
	c.report(err)
	if farewell := c.farewell(err); farewell != nil {
		c.write(farewell)
	}
	if c.queue.Close(ctx) == nil && !gone(err) {
		c.linger()
	}
	_ = c.tcp.Close() // nothing is left to be lost; TLS has had its close_notify in linger
	c.queue.Wait()
}

// farewell writes what the client is to see last, nil where that is nothing.
func (c *conn) farewell(err error) func([]byte) []byte {
	e := stream.AsError(err)
	switch {
	case errors.Is(err, errHandshake): // RFC 6120 §5.4.3.2: not even the end of the stream
		return nil
	case errors.Is(err, errEnded), errors.Is(err, errNoTLS), errors.Is(err, errPeerError):
		e = nil
	case gone(err):
		return nil
	}
	if c.leaving {
		return nil // it has been said
	}
	if !c.open {
		c.answer(c.scanner.Header(), "1.0") // RFC 6120 §4.9.1.2
	}
	return func(dst []byte) []byte {
		if e != nil {
			dst = e.Append(dst)
		}
		return stream.AppendClose(dst)
	}
}

// leave ends our side first and goes on with what the client still sends until it has
// ended its own (RFC 6120 §4.4).
func (c *conn) leave() error {
	c.write(stream.AppendClose)
	c.queue.Flush()
	c.leaving, c.began = true, time.Now()
	c.why.Store(nil)
	return c.each()
}

// linger ends our direction and reads what the client still sends to throw it away:
// closing a socket with unread input would make the client lose what we wrote last.
func (c *conn) linger() {
	_ = c.net.Close() // close_notify and the end of our direction; see oneWay
	_ = c.tcp.SetReadDeadline(time.Now().Add(lingerTime))
	_, _ = io.CopyN(io.Discard, c.tcp, lingerBytes)
}

// oneWay makes closing a connection end our direction of it only.
func oneWay(nc net.Conn) net.Conn {
	if t, ok := nc.(*net.TCPConn); ok {
		return halfway{t}
	}
	return nc
}

type halfway struct{ *net.TCPConn }

func (h halfway) Close() error { return h.CloseWrite() }

// gone tells whether nobody is there to read any more.
func gone(err error) bool {
	var op *net.OpError
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &op) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, stream.ErrSlow) || errors.Is(err, os.ErrDeadlineExceeded)
}

// report counts and logs why a connection ended.
func (c *conn) report(err error) {
	c.countLimit(err)
	e := stream.AsError(err)
	switch {
	case e == nil || gone(err) || e.Condition == stream.SystemShutdown:
	case e.Condition == stream.PolicyViolation:
		c.server.Counters.Policy.Add(1)
		c.server.Counters.StreamErrors.Add(1)
	default:
		c.server.Counters.StreamErrors.Add(1)
	}
	c.log.Debug("connection ended", "err", err)
}

// countLimit counts which limit ended the stream.
func (c *conn) countLimit(err error) {
	k := &c.server.Counters
	switch err {
	case errLateTLS:
		k.LateTLS.Add(1)
	case errLate:
		k.LateLogin.Add(1)
	case errTries:
		k.Tries.Add(1)
	}
	if c.who.IsZero() {
		k.BeforeLogin.Count(err)
	} else {
		k.Stanza.Count(err)
	}
}
