package stream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// Send appends a stanza to the queue. It returns false if the queue is closed or has failed.
func (c *Conn) Send(st *stanza.Stanza) bool { return c.queue.AppendStanza(st) }

// Append appends one element that declares its own namespace.
func (c *Conn) Append(f func(dst []byte) []byte) { c.queue.Append(f) }

// SendHeader appends our header.
func (c *Conn) SendHeader(h *Header) {
	if c.Framed() {
		c.Append(h.AppendFramed)
	} else {
		c.Append(h.Append)
	}
	c.state.headerSent = true
}

// AppendFeatures appends the features element to dst, with or without framing.
func (c *Conn) AppendFeatures(dst []byte, features ...*stanza.Element) []byte {
	if c.Framed() {
		return AppendFeaturesFramed(dst, features...)
	}
	return AppendFeatures(dst, features...)
}

// sendError appends a stream error.
func (c *Conn) sendError(e *Error) {
	if c.Framed() {
		c.Append(e.AppendFramed)
	} else {
		c.Append(e.Append)
	}
}

// sendClose appends the end of our direction.
func (c *Conn) sendClose() {
	if c.Framed() {
		c.Append(func(dst []byte) []byte { return AppendCloseFramed(dst, "") })
	} else {
		c.Append(AppendClose)
	}
}

// TLS returns the TLS state of the transport; false if it does not use TLS.
func (c *Conn) TLS() (tls.ConnectionState, bool) {
	if t, ok := c.transport.(tlsTransport); ok {
		return t.TLS()
	}
	return tls.ConnectionState{}, false
}

// CanTLS reports whether the transport can change to TLS.
func (c *Conn) CanTLS() bool {
	_, ok := c.transport.(tlsTransport)
	return ok
}

// RefuseTLS answers starttls with failure. The caller returns the error, which ends the stream (RFC 6120 §5.4.2.2).
func (c *Conn) RefuseTLS() error {
	c.Append(AppendTLSFailure)
	return ErrNoTLS
}

// StartTLS answers starttls with proceed, does the handshake and expects a new stream (RFC 6120 §5.4.2).
func (c *Conn) StartTLS(cfg *tls.Config, until time.Time) error {
	c.Append(AppendProceed)
	ctx, cancel := context.WithDeadline(c.ctx, until)
	defer cancel()
	if err := c.queue.Sync(ctx); err != nil {
		return fmt.Errorf("send proceed: %w", err)
	}
	if err := c.HandshakeTLS(cfg, until); err != nil {
		return err
	}
	// RFC 6120 §5.4.3.3: discard the state of the old stream, and input that arrived before TLS.
	c.scanner.Reset((*input)(c))
	c.state.headerSent = false
	return nil
}

// StartClientTLS does the handshake after the peer has answered our starttls with proceed, and expects a new stream.
func (c *Conn) StartClientTLS(cfg *tls.Config, until time.Time) error {
	if err := c.HandshakeClientTLS(cfg, until); err != nil {
		return err
	}
	c.scanner.Reset((*input)(c)) // RFC 6120 §5.4.3.3
	c.state.headerSent = false
	return nil
}

// HandshakeTLS does the handshake of the accepting side. Its errors wrap ErrHandshake.
func (c *Conn) HandshakeTLS(cfg *tls.Config, until time.Time) error {
	return c.handshake(until, func(ctx context.Context, t tlsTransport) error { return t.ServerTLS(ctx, cfg) })
}

// HandshakeClientTLS does the handshake of the side that dialled. Its errors wrap ErrHandshake.
func (c *Conn) HandshakeClientTLS(cfg *tls.Config, until time.Time) error {
	return c.handshake(until, func(ctx context.Context, t tlsTransport) error { return t.ClientTLS(ctx, cfg) })
}

func (c *Conn) handshake(until time.Time, f func(context.Context, tlsTransport) error) error {
	_ = c.transport.SetReadDeadline(until) // if this fails, the handshake fails too
	c.clock.set = time.Time{}
	if why := c.stop.reason.Load(); why != nil {
		return *why
	}
	t, ok := c.transport.(tlsTransport)
	if !ok {
		return fmt.Errorf("%w: not on this transport", ErrHandshake)
	}
	ctx, cancel := context.WithDeadline(c.ctx, until)
	defer cancel()
	if err := f(ctx, t); err != nil {
		return fmt.Errorf("%w: %w", ErrHandshake, err)
	}
	return nil
}

// TimedOut reports whether err means that a deadline has passed.
func TimedOut(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
}
