package s2s

import (
	"crypto/x509"
	"errors"
	"time"

	"github.com/dragoman-im/dragoman/core/peerlimit"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// inConn is a connection that another server has opened: the stream.Handler of its stream.Conn. Its fields, except results, belong to the
// goroutine that runs it.
type inConn struct {
	*stream.Conn
	receiver
	address  *peerlimit.Connection
	direct   bool // it begins with TLS
	deadline time.Time
	stream   inStream
	results  results
	silent   int // times Limits.Idle
	reverse  reverse
}

// inStream is the state of the negotiation.
type inStream struct {
	id        string // of our header
	pair      pair   // of the peer's header; theirs may be empty
	secure    bool
	chain     []*x509.Certificate // of the peer
	external  bool                // SASL EXTERNAL has succeeded
	bidi      bool                // the peer wants to receive on it, too
	refused   int
	verifying map[pair]struct{}
}

// displaced ends a connection that has not authenticated, to make room for another one. Any goroutine may call it.
func (c *inConn) displaced(why peerlimit.Verdict) {
	if why == peerlimit.TooMany {
		c.Stop(errTooMany)
	} else {
		c.Stop(errDisplaced)
	}
}

// serve runs the connection from its beginning to its end.
func (c *inConn) serve() (rests bool) {
	defer c.address.Closed()
	defer c.server.incoming.remove(c)
	err := c.begin()
	if err == nil {
		err = c.Run()
	}
	c.end(err)
	return false
}

// begin does the handshake of a connection that begins with TLS (XEP-0368).
func (c *inConn) begin() error {
	if !c.direct {
		return nil
	}
	return c.secured(c.HandshakeTLS(c.server.tls.direct, c.deadline))
}

// secured handles the result of a handshake.
func (c *inConn) secured(err error) error {
	if err != nil {
		return err
	}
	c.stream.secure = true
	if state, ok := c.TLS(); ok {
		c.stream.chain = state.PeerCertificates
	}
	return nil
}

// Flush flushes the queues that stanzas of this connection were appended to, and handles the results of verifications.
func (c *inConn) Flush() {
	c.flush()
	for _, r := range c.results.take() {
		c.verified(r)
	}
}

// Ping keeps a connection open on which nothing arrives, by white space: nothing else is sent in this direction. After a while it ends.
func (c *inConn) Ping() *stanza.Stanza {
	if c.reverse.takeUsed(c.server) {
		c.silent = 0
	}
	if c.silent++; c.silent >= silences {
		c.Stop(stream.ErrLeave) // checklist 109
	} else {
		c.Queue().AppendBytes([]byte{' '})
	}
	return nil
}

// end ends the stream because of err, then the connection.
func (c *inConn) end(err error) {
	c.settle(err)
	closed := false
	if errors.Is(err, errStopping) && c.reverse.owed() {
		err = stream.ErrLeave // the peer's end of the stream says that it has handled all
	}
	if errors.Is(err, stream.ErrLeave) {
		c.reverse.leave()
		err = c.Leave()
		closed = errors.Is(err, stream.ErrEnded)
	}
	k := &c.server.Counters
	if c.Established() {
		k.In.Add(-1)
		k.LimitCounters.ended(err)
		c.Log().Info("connection of another server ended", "domain", c.stream.pair.theirs, "err", err)
	} else if stream.Reported(err) != nil {
		k.refused(err)
		c.Log().Info("connection of another server refused", "domain", c.stream.pair.theirs, "err", err)
	}
	c.Close(err, func() { c.answerHeader(c.Header()) })
	c.reverse.release(c.server, err, !closed)
	c.detachStream(stream.PeerGone(err) || errors.Is(err, errResumed) || errors.Is(err, stream.ErrSilent) || errors.Is(err, errNotStored))
}
