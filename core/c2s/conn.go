package c2s

import (
	"crypto/rand"
	"errors"
	"net/netip"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/peerlimit"
	"github.com/dragoman-im/dragoman/core/resumption"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

var (
	errLateTLS   = stream.NewError(stream.ConnectionTimeout, "no TLS in time")
	errLateLogin = stream.NewError(stream.ConnectionTimeout, "not logged in in time")
	errTooMany   = stream.NewError(stream.ResourceConstraint, "too many connections from your address")
	errDisplaced = stream.NewError(stream.ResourceConstraint, "too many connections have not logged in")
)

// conn is one connection of a client: the stream.Handler of its stream.Conn. Its fields belong to the
// goroutine that reads it.
type conn struct {
	*stream.Conn
	server  *Server
	from    netip.Addr
	address *peerlimit.Connection
	direct  bool // it begins with TLS
	began   time.Time
	batch   *router.Batch

	host        *host
	negotiation negotiation
	who         jid.JID // bare; set by login
	session     *session
	recipients  recipients
	handled     *resumption.Handled // counts the stanzas of the client; nil without stream management
	asked       bool                // the client wants to know the count
}

// negotiation is the state of a stream on which no session is bound yet.
type negotiation struct {
	secure      bool
	elements    int
	bindings    []sasl.Binding
	dialogue    *sasl.Dialogue
	peer        router.Unauthenticated
	client      string       // id that the client gave with its login (XEP-0388); "" if it gave none
	removals    uint64       // the router's count of removed accounts, read before the account was looked up
	revocation  int64        // of the sasl.Identity
	expiry      *time.Timer  // ends the stream when what was proved expires; nil if it does not
	enabling    *management  // of the session that is being bound, for attach; nil without stream management
	certificate *certificate // of the client; nil without one
}

// newConn makes a connection without a stream, which the caller adds.
func (s *Server) newConn(from netip.Addr) *conn {
	return &conn{server: s, from: from, began: time.Now(), batch: router.NewBatch(s.conns.Context())}
}

// useTransport gives the connection a stream over a transport without frames.
func (c *conn) useTransport(t stream.Transport) {
	c.Conn = stream.NewConn(c.server.conns.Context(), &c.server.current.Load().stream, t, c)
	c.expire()
}

// newID returns an id that cannot be guessed (RFC 6120 §4.7.3).
func newID() string { return rand.Text() }

// expire sets the deadline of the stream's current stage.
func (c *conn) expire() {
	l := c.server.limits()
	if c.tlsRequired() {
		c.Expire(c.began.Add(min(l.TLSWait, l.LoginWait)), errLateTLS)
	} else {
		c.Expire(c.began.Add(l.LoginWait), errLateLogin)
	}
}

// serve runs the connection from its beginning to its end, or until it rests. Its frame stays on the stack of each session that waits.
func (c *conn) serve() (rests bool) {
	defer func() {
		if !rests {
			c.left()
		}
	}()
	err := c.begin()
	if err == nil {
		err = c.Run()
	}
	if err == stream.ErrRest {
		return true
	}
	c.end(err)
	return false
}

// begin does the handshake of a connection that begins with TLS (XEP-0368).
func (c *conn) begin() error {
	if !c.direct || c.Established() {
		return nil
	}
	return c.secured(c.HandshakeTLS(c.server.direct, c.tlsDeadline()))
}

// end ends the stream because of err, then the session, then the connection.
func (c *conn) end(err error) {
	c.batch.Flush() // what came before the end is handled
	if errors.Is(err, stream.ErrLeave) {
		err = c.Leave()
	}
	if c.negotiation.expiry != nil {
		c.negotiation.expiry.Stop()
	}
	c.server.rechecks.remove(c)
	c.report(err)
	switch s := c.session; {
	case s == nil:
	case c.suspends(err):
		s.suspend(func() { c.closeStream(err) })
		return
	case s.detach(err):
	default:
		s.end(c.Context())
		defer s.returnWaiting()
	}
	c.closeStream(err)
}

func (c *conn) closeStream(err error) { c.Close(err, func() { c.answer(c.Header(), "1.0") }) }

// left updates the counts when the connection has ended, and ends an account that was of this connection only.
func (c *conn) left() {
	if !c.who.IsZero() && c.host.Temporary != nil {
		c.host.Temporary.End(c.who)
	}
	c.server.Counters.Connections.Add(-1)
	c.address.Closed()
}

// Flush flushes the queues that stanzas of this client were appended to.
func (c *conn) Flush() {
	c.batch.Flush()
	if c.asked {
		c.asked = false
		c.handled.Request()
	}
}

// Ping asks a silent client for an answer (XEP-0199).
func (c *conn) Ping() *stanza.Stanza {
	return stanza.NewIQ(c.session.jid, c.host.Router.Domain(), stanza.TypeGet, stanza.NewElement(nsPing, "ping"))
}

// report counts and logs why a connection ended.
func (c *conn) report(err error) {
	c.countLimit(err)
	switch e := stream.Reported(err); {
	case e == nil || e.Condition == stream.SystemShutdown:
	case e.Condition == stream.PolicyViolation:
		c.server.Counters.Policy.Add(1)
		c.server.Counters.StreamErrors.Add(1)
	default:
		c.server.Counters.StreamErrors.Add(1)
	}
	c.Log().Debug("connection ended", "err", err)
}

// countLimit counts which limit ended the stream.
func (c *conn) countLimit(err error) {
	k := &c.server.Counters
	switch err {
	case errLateTLS:
		k.LateTLS.Add(1)
	case errLateLogin:
		k.LateLogin.Add(1)
	case errTries:
		k.Tries.Add(1)
	case errTooMany:
		k.TooMany.Add(1)
	case errDisplaced:
		k.Displaced.Add(1)
	}
	if c.who.IsZero() {
		k.BeforeLogin.Count(err)
	} else {
		k.Stanza.Count(err)
	}
}
