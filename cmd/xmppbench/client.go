package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"
)

// client is one stream. It is used by one goroutine for reading and one for writing.
type client struct {
	conn    net.Conn
	buf     []byte // read and not yet processed
	jid     string
	refused func() error // called by count for a message that is returned as an error; nil ends count with that error
	answers int          // acknowledgements that count has passed (XEP-0198)
}

const (
	stepTimeout = 30 * time.Second
	bufferSize  = 4 << 10
)

// dial connects, logs in and binds.
func dial(ctx context.Context, t target, o *options, account int) (*client, error) {
	c, err := connect(ctx, t, o)
	if err != nil {
		return nil, err
	}
	if err := c.login(t, o, account); err != nil {
		c.conn.Close()
		return nil, fmt.Errorf("log in %s%d: %w", o.user, account, err)
	}
	return c, nil
}

// connect opens the stream, with TLS if o.tls is set.
func connect(ctx context.Context, t target, o *options) (*client, error) {
	conn, err := dialTarget(ctx, t, o)
	if err != nil {
		return nil, err
	}
	c := &client{conn: conn}
	if err := c.open(t.domain); err != nil {
		conn.Close()
		return nil, err
	}
	if !o.tls {
		return c, nil
	}
	if _, err := c.ask("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "<proceed", "<failure"); err != nil {
		conn.Close()
		return nil, err
	}
	// Certificates are not verified: targets are loopback addresses, and test servers use self-signed certificates.
	secure := tls.Client(conn, &tls.Config{ServerName: t.domain, InsecureSkipVerify: true}) //nolint:gosec
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	c.conn, c.buf = secure, nil
	return c, c.open(t.domain)
}

func dialTarget(ctx context.Context, t target, o *options) (net.Conn, error) {
	if o.webSocket != "" {
		return dialWebSocket(ctx, o.webSocket)
	}
	d := net.Dialer{Timeout: stepTimeout}
	return d.DialContext(ctx, "tcp", t.addr)
}

func (c *client) open(domain string) error {
	_, err := c.ask("<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='"+domain+"'>",
		"</stream:features>", "<stream:features/>", "</stream:stream>", "<close ")
	return err
}

func (c *client) write(s string) error {
	if err := c.conn.SetWriteDeadline(time.Now().Add(stepTimeout)); err != nil {
		return err
	}
	_, err := c.conn.Write([]byte(s))
	return err
}

// ask writes, then reads until one of the endings has arrived.
func (c *client) ask(send string, endings ...string) (string, error) {
	if err := c.write(send); err != nil {
		return "", err
	}
	return c.until(endings...)
}

func (c *client) until(endings ...string) (string, error) {
	deadline := time.Now().Add(stepTimeout)
	for {
		end := -1
		for _, e := range endings {
			if at := bytes.Index(c.buf, []byte(e)); at >= 0 && (end < 0 || at+len(e) < end) {
				end = at + len(e)
			}
		}
		if end >= 0 {
			text := string(c.buf[:end])
			c.buf = c.buf[end:]
			return text, nil
		}
		if err := c.fill(deadline); err != nil {
			return "", fmt.Errorf("waiting for %q after %.200q: %w", endings, c.buf, err)
		}
	}
}

// fill reads more bytes into buf.
func (c *client) fill(deadline time.Time) error {
	if err := c.conn.SetReadDeadline(deadline); err != nil {
		return err
	}
	if cap(c.buf)-len(c.buf) < bufferSize/2 {
		c.buf = append(make([]byte, 0, len(c.buf)+bufferSize), c.buf...)
	}
	n, err := c.conn.Read(c.buf[len(c.buf):cap(c.buf)])
	c.buf = c.buf[:len(c.buf)+n]
	return err
}

// refusal is the end of a message that is returned as an error.
const refusal = "</error></message>"

// count reads until the deadline and calls seen for each occurrence of mark with what follows it on the
// wire. It returns at the deadline, or when seen returns true.
func (c *client) count(deadline time.Time, mark string, seen func(rest []byte) (stop bool)) error {
	for {
		for {
			at := bytes.Index(c.buf, []byte(mark))
			if no := bytes.Index(c.buf, []byte(refusal)); no >= 0 && (at < 0 || no < at) {
				why := c.buf[:no+len(refusal)]
				c.buf = c.buf[no+len(refusal):]
				if c.refused == nil {
					return fmt.Errorf("a message was returned as an error: %s", why[max(0, bytes.LastIndex(why, []byte("<message"))):])
				}
				if err := c.refused(); err != nil {
					return err
				}
				continue
			}
			if at < 0 {
				break
			}
			end := bytes.Index(c.buf[at:], []byte("</message>"))
			if end < 0 {
				break
			}
			c.answers += bytes.Count(c.buf[:at], []byte("<a xmlns="))
			stop := seen(c.buf[at+len(mark) : at+end])
			c.buf = c.buf[at+end:]
			if stop {
				return nil
			}
		}
		if err := c.fill(deadline); err != nil {
			var timeout net.Error
			if errors.As(err, &timeout) && timeout.Timeout() {
				return nil
			}
			return err
		}
	}
}

// becomeAvailable sends presence, and returns when the server has processed it.
func (c *client) becomeAvailable() error {
	_, err := c.ask("<presence/><iq type='get' id='here'><ping xmlns='urn:xmpp:ping'/></iq>", "id='here'", "id=\"here\"")
	return err
}

// roster requests the roster, as every client does first.
func (c *client) roster() (string, error) {
	return c.ask("<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>", "</iq>", "<query xmlns='jabber:iq:roster'/></iq>")
}
