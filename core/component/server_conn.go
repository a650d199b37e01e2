package component

import (
	"crypto/rand"
	"crypto/subtle"
	"log/slog"
	"net/netip"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/outbound"
	"github.com/dragoman-im/dragoman/core/peerlimit"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// serverConn is one connection that a Server accepted: the stream.Handler of its stream.Conn. Its fields belong to the
// goroutine that reads it.
type serverConn struct {
	*stream.Conn
	server   *Server
	from     netip.Addr
	address  *peerlimit.Connection
	direct   bool      // it begins with TLS
	until    time.Time // when the handshakes, of TLS and of the component, have to be done
	batch    *router.Batch
	id       string // of our header
	domain   string // to of the component's header
	endpoint *endpoint
}

// Open answers the component's header, also if it is refused (RFC 6120 §4.9.1.2).
func (c *serverConn) Open(h *stream.Header) error {
	c.domain = h.To
	e, err := c.server.lookup(h.To)
	c.endpoint = e
	c.answer()
	return err
}

// answer sends our header.
func (c *serverConn) answer() {
	c.id = rand.Text()
	h := stream.Header{Content: stanza.NSComponent, ID: c.id}
	switch name := c.server.cfg.Name; {
	case c.endpoint != nil:
		h.From = c.endpoint.Domain.String()
	case !name.IsZero():
		h.From = name.String()
	}
	c.SendHeader(&h)
}

// lookup returns the endpoint of the domain in the to of a header.
func (s *Server) lookup(to string) (*endpoint, error) {
	if to == "" {
		return nil, stream.NewError(stream.ImproperAddressing, "to is missing")
	}
	domain, err := jid.Parse(to)
	if err != nil {
		return nil, stream.NewError(stream.HostUnknown, "")
	}
	e := s.endpoints[domain.String()]
	if e == nil {
		return nil, stream.NewError(stream.HostUnknown, "")
	}
	return e, nil
}

// Negotiate checks the handshake (XEP-0114 §3).
func (c *serverConn) Negotiate(it *stream.Item) error {
	s := c.server
	if !it.Is(stanza.NSComponent, "handshake") {
		return stream.NewError(stream.NotAuthorized, "handshake expected")
	}
	proof, err := it.Tree()
	if err != nil {
		return err
	}
	if err := c.check(proof.Text()); err != nil {
		return err
	}
	c.SetLimits(s.current.Load().limits.Stanza)
	c.address.Authenticated() // before the answer, after which the component is not ended in favour of another connection
	if !c.endpoint.claim(c.Conn, c.from.String(), []byte("<handshake/>")) {
		return errConflict
	}
	c.Establish()
	c.LimitRate(c.endpoint.limiter)
	s.Counters.Attached.Add(1)
	c.Log().Info("component attached", "domain", c.endpoint.Domain)
	if s.cfg.OnAttach != nil {
		s.cfg.OnAttach(c.endpoint.Domain, func(st *stanza.Stanza) { c.Send(st) })
	}
	return nil
}

// check compares the proof of the secret. It waits after many wrong ones, or refuses to compare.
func (c *serverConn) check(proof string) error {
	guess, wait := c.server.guesses.Reserve(c.from, c.endpoint.Domain.String())
	if guess == nil {
		return errGuesses
	}
	if wait > 0 && !c.Pause(wait) {
		guess.Cancel()
		return errDisplaced
	}
	want := handshake(c.id, c.endpoint.Secret)
	if subtle.ConstantTimeCompare([]byte(proof), []byte(want)) != 1 { // CVE-2021-32921
		return stream.NewError(stream.NotAuthorized, "")
	}
	guess.Right()
	return nil
}

// Receive checks one stanza of a component and routes it. An error ends the stream.
func (c *serverConn) Receive(it *stream.Item) error {
	c.server.Counters.Received.Add(1)
	return c.server.receive(c.batch, c.endpoint, it)
}

// Flush flushes the queues that the component's stanzas were appended to. A component that does not read what it causes is not read
// from either, before it is cut off.
func (c *serverConn) Flush() {
	c.batch.Flush()
	if !c.Established() {
		return
	}
	half := c.server.current.Load().limits.Queue / 2
	for until := time.Now().Add(outbound.DefaultLimits().Write); c.Queue().Pending() > half && !c.Stopping() && time.Now().Before(until); {
		if c.Sync(c.Context(), syncTime) {
			return
		}
	}
}

// Ping asks a silent component for an answer.
func (c *serverConn) Ping() *stanza.Stanza { return newPing(c.endpoint.Domain, c.server.cfg.Name) }

// serve runs the connection from its beginning to its end.
func (c *serverConn) serve() (rests bool) {
	defer c.server.Counters.Connections.Add(-1)
	defer c.address.Closed()
	if c.direct {
		if err := c.HandshakeTLS(c.server.direct, c.until); err != nil {
			c.end(err)
			return false
		}
	}
	c.end(c.Run())
	return false
}

// end ends the stream because of err, then the connection.
func (c *serverConn) end(err error) {
	k := &c.server.Counters
	if c.Established() {
		c.endpoint.leave(c.Conn)
		defer c.endpoint.release(c.Conn)
		k.Attached.Add(-1)
		k.ended(err)
		c.Log().Info("component detached", "domain", c.endpoint.Domain, "err", err)
	} else {
		if h := c.Header(); h != nil {
			c.domain = h.To
		}
		k.refused(err)
		c.Log().LogAttrs(c.Context(), slog.LevelWarn, "component refused", slog.String("domain", c.domain), slog.Any("err", err))
	}
	c.Close(err, c.answer)
}
