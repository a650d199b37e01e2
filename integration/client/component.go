package client

import (
	"context"
	"crypto/sha1" // XEP-0114 §3 asks for it
	"encoding/hex"
	"fmt"
	"net"
)

// Attach connects as the component of a domain (XEP-0114 §3).
func Attach(ctx context.Context, addr, domain, secret string) (*Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, loginTimeout)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	c := newConn(conn, spaceComponent)
	if err := c.handshake(domain, secret); err != nil {
		stop()
		_ = conn.Close()
		return nil, fmt.Errorf("attach component %s: %w", domain, err)
	}
	if !stop() {
		return nil, ctx.Err()
	}
	go c.read()
	return c, nil
}

func (c *Conn) handshake(domain, secret string) error {
	if err := c.header(domain); err != nil {
		return err
	}
	sum := sha1.Sum([]byte(c.jid + secret))
	if err := c.Send("<handshake>" + hex.EncodeToString(sum[:]) + "</handshake>"); err != nil {
		return err
	}
	answer, err := c.step()
	if err != nil {
		return err
	}
	if answer.Name.Space != spaceComponent || answer.Name.Local != "handshake" {
		return refused("handshake", answer)
	}
	c.jid = domain
	return nil
}
