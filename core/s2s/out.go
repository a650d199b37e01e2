package s2s

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/s2s/certificate"
	"github.com/dragoman-im/dragoman/core/s2s/dialback"
	"github.com/dragoman-im/dragoman/core/socket"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// outConn is a connection that this server has opened: the stream.Handler of its stream.Conn. Its fields, except those of shared, belong to
// the goroutine that runs it.
type outConn struct {
	*carrier
	server   *Server
	pair     pair // of the stream header
	target   *Target
	deadline time.Time
	opened   func() // ends the counting as an attempt
	retry    func(*outConn)
	tries    int // connections to other servers of the domain that have failed before this one
	stream   outStream
	shared   outShared
	receiver receiver // of a stream for both directions
}

// outStream is the state of the negotiation.
type outStream struct {
	secure   bool
	valid    bool  // the certificate is
	tried    bool  // SASL EXTERNAL was
	external bool  // it has succeeded
	dialback bool  // the other server accepts it
	further  bool  // its features offer dialback, so that further pairs can be asked for: servers that only declare the namespace may never answer a key
	bidi     bool  // the other server may send, too (XEP-0288)
	why      error // for which this server ends the stream

	offersBidi       bool
	offersManagement bool
	managing         *management // that was asked for
	managed          bool        // that was answered
}

// outShared is what other goroutines use.
type outShared struct {
	mu       sync.Mutex
	ready    bool   // requests can be sent
	dialback bool   // keys of further pairs can be sent
	single   bool   // the stream can be resumed, so it is for one pair only
	id       string // of the stream
	ended    bool
	asked    map[pair]*request // links for whose pairs the right to send was asked for
	carried  []*link
	verifies map[verifyID]*request
}

// request is what waits for an answer of the other server. Either link or done is set.
type request struct {
	link   *link
	verify verification
	done   func(outcome)
	until  time.Time // zero: that of the connection
}

// serve runs the connection from its beginning to its end.
func (o *outConn) serve() (rests bool) {
	err := o.begin()
	if err == nil {
		err = o.Run()
	}
	o.end(err)
	return false
}

// begin does the handshake of a connection that begins with TLS (XEP-0368), and opens the stream.
func (o *outConn) begin() error {
	if o.target.DirectTLS {
		if err := o.secured(o.HandshakeClientTLS(o.clientTLS(socket.ALPNServer), o.deadline)); err != nil {
			return err
		}
	}
	o.openStream()
	return nil
}

func (o *outConn) openStream() {
	h := stream.Header{Content: stanza.NSServer, From: o.pair.ours, To: o.pair.theirs, Version: "1.0", Lang: "en", Prefixes: dialback.Prefixes}
	o.SendHeader(&h) // RFC 6120 §4.7.1, §4.7.2; checklist 106
}

// clientTLS returns the configuration of the handshake. The certificate of the other server is checked after it: dialback may do without.
func (o *outConn) clientTLS(alpn string) *tls.Config {
	c := &tls.Config{
		MinVersion: tls.VersionTLS12, // RFC 7590 §3.1
		ServerName: o.target.Evidence.ServerName, InsecureSkipVerify: true, DynamicRecordSizingDisabled: true,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			own, err := o.server.cfg.Certificates(o.pair.ours)
			if err != nil {
				return &tls.Certificate{}, nil // without one
			}
			return own, nil
		},
	}
	if c.ServerName == "" {
		if ascii, err := certificate.ASCII(o.pair.theirs); err == nil {
			c.ServerName = ascii
		}
	}
	if alpn != "" {
		c.NextProtos = []string{alpn} // XEP-0368 §4
	}
	return c
}

// secured handles the result of a handshake.
func (o *outConn) secured(err error) error {
	if err != nil {
		return err
	}
	o.stream.secure = true
	var chain []*x509.Certificate
	if state, ok := o.TLS(); ok {
		chain = state.PeerCertificates
	}
	e := o.target.Evidence
	e.Revoked = o.server.cfg.Revoked
	err = certificate.Verify(chain, o.pair.theirs, e, o.server.cfg.Roots)
	o.stream.valid = err == nil
	if err != nil {
		o.Log().Info("certificate of another server is not valid", "err", err)
		if o.server.rule(o.pair.theirs).Certificates || errors.Is(err, certificate.ErrTLSA) { // RFC 7673 §4.2
			return o.giveUp(errCertificate)
		}
	}
	return nil
}

// giveUp ends the stream without a stream error: the other server need not know why.
func (o *outConn) giveUp(why error) error {
	o.stream.why = why
	return stream.ErrLeave
}

// Flush implements stream.Handler.
func (o *outConn) Flush() { o.receiver.flush() }

// Receive implements stream.Handler. The other server may send for the pairs for which it has accepted us, in a stream for both directions.
func (o *outConn) Receive(it *stream.Item) error {
	if !o.stream.bidi {
		return errInvalidFrom
	}
	size := len(it.Raw)
	return o.receiver.after(o.Conn, size, o.receiver.handle(it))
}

// suits reports whether the connection is good enough for a domain with that rule.
func (o *outConn) suits(_ string, rule Rule) bool {
	return !rule.Refused && (rule.Plain || o.stream.secure) && (!rule.Certificates || o.stream.valid)
}

// Ping ends a connection that was silent in both directions; where stanzas were sent, white space keeps it open.
func (o *outConn) Ping() *stanza.Stanza {
	if o.server.unflushed.takeUsed(o.carrier) {
		o.Queue().AppendBytes([]byte{' '})
	} else {
		o.shared.mu.Lock()
		o.shared.ended = true // nothing more is asked for on it
		o.shared.mu.Unlock()
		o.stream.why = errIdle
		o.Stop(stream.ErrLeave) // checklist 109
	}
	return nil
}

// end ends the stream because of err, then the connection.
func (o *outConn) end(err error) {
	s := o.server
	s.directory.remove(o)
	o.receiver.settle(err)
	o.returnManagement()
	o.tryAnother()
	reason, closed := err, false
	if m := o.management.Load(); errors.Is(err, errStopping) && m != nil && m.list.Bytes() > 0 {
		o.stream.why, err = errStopping, stream.ErrLeave // the other server's end of the stream says that it has handled all
	}
	if errors.Is(err, stream.ErrLeave) {
		reason = o.stream.why
		for _, l := range o.links() {
			l.leave(o.carrier)
		}
		o.fail(reason) // before the other server answers
		err = o.Leave()
		closed = errors.Is(err, stream.ErrEnded)
	}
	o.Close(err, nil)
	o.opened()
	if o.Established() {
		s.Counters.Out.Add(-1)
		s.Counters.LimitCounters.ended(err)
		o.Log().Info("connection with another server ended", "err", reason)
	} else if o.stream.why != errVerified {
		o.Log().Info("no connection with another server", "err", reason)
	}
	o.fail(reason)
	if o.carrier != nil {
		s.release(o.carrier, o.links(), reason, !closed)
	}
}

// tryAnother moves the requests of a connection on which no stream could be negotiated to a connection with another server of the
// domain, if there is one (XEP-0487 §5.2).
func (o *outConn) tryAnother() {
	o.shared.mu.Lock()
	if o.shared.ready || o.shared.ended || o.Established() || o.tries == maxTries || o.target.Failed == nil || !o.target.Failed() {
		o.shared.mu.Unlock()
		return
	}
	next := &outConn{server: o.server, pair: o.pair, deadline: o.deadline, tries: o.tries + 1}
	next.shared.asked, next.shared.verifies = o.shared.asked, o.shared.verifies
	o.shared.asked, o.shared.verifies, o.shared.ended = nil, nil, true
	o.shared.mu.Unlock()
	o.opened()
	o.retry(next)
}

// links returns the links that the connection carries.
func (o *outConn) links() []*link {
	o.shared.mu.Lock()
	defer o.shared.mu.Unlock()
	return o.shared.carried
}

// fail fails what was asked for and not answered.
func (o *outConn) fail(err error) {
	if err == nil {
		err = stream.ErrEnded
	}
	o.shared.mu.Lock()
	asked, verifies := o.shared.asked, o.shared.verifies
	o.shared.asked, o.shared.verifies, o.shared.ended = nil, nil, true
	o.shared.mu.Unlock()
	for _, r := range asked {
		r.link.failed(err)
	}
	for _, r := range verifies {
		r.done(outcome{condition: verificationError(err, o.target != nil)})
	}
}
