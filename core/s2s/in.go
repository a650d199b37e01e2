package s2s

import (
	"crypto/x509"
	"errors"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/peerlimit"
	"github.com/dragoman-im/dragoman/core/resumption"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// inConn is a connection that another server has opened: the stream.Handler of its stream.Conn. Its fields, except results, belong to the
// goroutine that runs it.
type inConn struct {
	*stream.Conn
	server   *Server
	address  *peerlimit.Connection
	direct   bool // it begins with TLS
	deadline time.Time
	batch    *router.Batch
	stream   inStream
	rights   rights
	results  results
	policy   *Policy // that the rights were last checked against
	silent   int     // times Limits.Idle
	managed  managedIn
}

// managedIn is the state of stream management (XEP-0198).
type managedIn struct {
	self      *atomic.Pointer[inConn] // the connection, until it has ended
	handled   *resumption.Handled     // counts the stanzas of the peer; nil without stream management
	asked     bool                    // the peer wants to know the count
	resumable *resumable              // nil if the stream cannot be resumed
}

// inStream is the state of the negotiation.
type inStream struct {
	id        string // of our header
	pair      pair   // of the peer's header; theirs may be empty
	secure    bool
	chain     []*x509.Certificate // of the peer
	external  bool                // SASL EXTERNAL has succeeded
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
	c.batch.Flush()
	if c.managed.asked {
		c.managed.asked = false
		c.managed.handled.Request()
	}
	for _, r := range c.results.take() {
		c.verified(r)
	}
}

// Ping keeps a connection open on which nothing arrives, by white space: nothing else is sent in this direction. After a while it ends.
func (c *inConn) Ping() *stanza.Stanza {
	if c.silent++; c.silent >= silences {
		c.Stop(stream.ErrLeave) // checklist 109
	} else {
		c.Queue().AppendBytes([]byte{' '})
	}
	return nil
}

// end ends the stream because of err, then the connection.
func (c *inConn) end(err error) {
	if h := c.managed.handled; h != nil && !stream.PeerGone(err) && err != errResumed && err != errNotStored {
		await(h.Settled())
		h.Request() // what the peer need not send again
	}
	if errors.Is(err, stream.ErrLeave) {
		err = c.Leave()
	}
	k := &c.server.Counters
	if c.Established() {
		k.In.Add(-1)
		k.LimitCounters.Stanza.Count(err)
		c.Log().Info("connection of another server ended", "domain", c.stream.pair.theirs, "err", err)
	} else if stream.Reported(err) != nil {
		k.refused(err)
		c.Log().Info("connection of another server refused", "domain", c.stream.pair.theirs, "err", err)
	}
	c.Close(err, func() { c.answerHeader(c.Header()) })
	c.detachStream(stream.PeerGone(err) || errors.Is(err, errResumed) || errors.Is(err, stream.ErrSilent) || errors.Is(err, errNotStored))
}
