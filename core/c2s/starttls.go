package c2s

import (
	"crypto/tls"
	"errors"
	"time"

	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/socket"
	"github.com/dragoman-im/dragoman/core/stream"
)

// startTLS handles a starttls element (RFC 6120 §5.4.2, §5.4.3).
func (c *conn) startTLS() error {
	if c.negotiation.secure || c.host.tls == nil || !c.who.IsZero() || !c.CanTLS() {
		return c.RefuseTLS()
	}
	if err := c.secured(c.StartTLS(c.host.tls, c.tlsDeadline())); err != nil {
		return err
	}
	c.host, c.negotiation.dialogue = nil, nil // RFC 6120 §5.4.3.3
	return nil
}

func (c *conn) tlsDeadline() time.Time { return c.began.Add(c.server.limits().TLSWait) }

// secured handles the result of a handshake.
func (c *conn) secured(err error) error {
	if err != nil {
		if errors.Is(err, stream.ErrHandshake) {
			c.server.Counters.Handshakes.Add(1)
			if stream.TimedOut(err) {
				c.server.Counters.LateTLS.Add(1)
			}
		}
		return err
	}
	c.negotiation.secure = true
	c.expire()
	if state, ok := c.TLS(); ok {
		c.addBindings(state)
		c.negotiation.certificate = c.server.cfg.ClientCertificates.verify(state)
	}
	return nil
}

// addBindings sets the channel bindings of this TLS connection, the best first.
func (c *conn) addBindings(state tls.ConnectionState) {
	list := &c.negotiation.bindings
	if data, err := socket.Exporter(state); err == nil {
		*list = append(*list, sasl.Binding{Type: sasl.BindExporter, Data: data})
	}
	certs, name := c.server.cfg.Certificates, state.ServerName
	if c.host != nil {
		name = c.host.domain
	}
	cert, err := certs(name)
	if err != nil {
		return
	}
	if data, err := socket.EndPoint(cert); err == nil {
		*list = append(*list, sasl.Binding{Type: sasl.BindEndPoint, Data: data})
	}
}
