package c2s

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/stream"
)

// startTLS is RFC 6120 §5.4.2 and §5.4.3.
func (c *conn) startTLS() error {
	if c.secure || c.host.tls == nil || !c.who.IsZero() {
		c.write(stream.AppendTLSFailure)
		return errNoTLS
	}
	c.write(stream.AppendProceed)
	ctx, cancel := context.WithDeadline(c.ctx, c.began.Add(c.server.limits.TLSWait))
	defer cancel()
	if err := c.queue.Sync(ctx); err != nil {
		return fmt.Errorf("send proceed: %w", err)
	}
	if err := c.handshake(c.host.tls); err != nil {
		return err
	}
	// RFC 6120 §5.4.3.3: what was known is forgotten, what was sent in clear is thrown away.
	c.scanner.Reset(c)
	c.host, c.open, c.login = nil, false, nil
	return nil
}

// handshake puts TLS between us and the socket.
func (c *conn) handshake(config *tls.Config) error {
	until := c.began.Add(c.server.limits.TLSWait)
	_ = c.tcp.SetReadDeadline(until) // the handshake tells
	if why := c.why.Load(); why != nil {
		return *why
	}
	ctx, cancel := context.WithDeadline(c.ctx, until)
	defer cancel()
	if err := c.net.ServerTLS(ctx, config); err != nil {
		c.server.Counters.Handshakes.Add(1)
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
			c.server.Counters.LateTLS.Add(1)
		}
		return fmt.Errorf("%w: %w", errHandshake, err)
	}
	c.deadline = time.Time{} // what is set is not what setDeadline thinks
	c.secure = true
	if state, ok := c.net.TLS(); ok {
		c.bindings(state)
	}
	return nil
}

// bindings are what ties a login to this TLS connection, the best first.
func (c *conn) bindings(state tls.ConnectionState) {
	if data, err := stream.Exporter(state); err == nil {
		c.bound = append(c.bound, sasl.Binding{Type: sasl.BindExporter, Data: data})
	}
	certs, name := c.server.cfg.Certificates, state.ServerName
	if c.host != nil {
		name = c.host.domain
	}
	cert, err := certs(name)
	if err != nil {
		return
	}
	if data, err := stream.EndPoint(cert); err == nil {
		c.bound = append(c.bound, sasl.Binding{Type: sasl.BindEndPoint, Data: data})
	}
}
