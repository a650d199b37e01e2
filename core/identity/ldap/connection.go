package ldap

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

const (
	maxAnswer = 1 << 20         // bytes of the answers to one question
	maxUnused = 5 * time.Minute // directories close connections that are not used for longer
)

// The library makes room for as much as a directory announces. It has one limit for the process, and only this package uses it.
func init() {
	ber.MaxPacketLengthBytes = maxAnswer
	ber.MaxNestingDepth = 32
}

// limited is a socket that reads a limited number of bytes until the next question.
type limited struct {
	net.Conn
	left atomic.Int64
}

var errTooLong = errors.New("the directory sends too much")

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	if l.left.Add(-int64(n)) < 0 {
		return 0, errTooLong
	}
	return n, err
}

// connection is a connection to the directory.
type connection struct {
	*ldap.Conn
	raw  *limited
	used time.Time
}

// begin gives the connection the end of a question, or of ctx.
func (c *connection) begin(ctx context.Context) (end func()) {
	deadline, _ := ctx.Deadline()
	c.raw.left.Store(maxAnswer)
	_ = c.raw.SetDeadline(deadline) // a closed connection fails later
	stop := context.AfterFunc(ctx, func() { _ = c.raw.SetDeadline(time.Unix(1, 0)) })
	return func() {
		if stop() {
			_ = c.raw.SetDeadline(time.Time{})
		}
		c.used = time.Now()
	}
}

func (c *connection) close() {
	_ = c.raw.Close() // first, so that nothing waits for the directory
	_ = c.Conn.Close()
}

// dial connects, with TLS unless the directory is on this machine.
func (d *Directory) dial(ctx context.Context) (*connection, error) {
	nc, err := (&net.Dialer{}).DialContext(ctx, "tcp", d.address)
	if err != nil {
		return nil, err
	}
	c := &connection{raw: &limited{Conn: nc}}
	end := c.begin(ctx)
	defer end()
	if d.direct {
		secure := tls.Client(c.raw, d.tls)
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = nc.Close()
			return nil, fmt.Errorf("TLS: %w", err)
		}
		c.Conn = ldap.NewConn(secure, true)
	} else {
		c.Conn = ldap.NewConn(c.raw, false)
	}
	c.Start()
	if !d.direct && d.tls != nil {
		if err := c.StartTLS(d.tls); err != nil {
			c.close()
			return nil, fmt.Errorf("StartTLS: %w", err)
		}
	}
	return c, nil
}

// slot is what one question uses at a time.
type slot struct{ search, bind *connection }

// use calls ask with a connection, which it makes if there is none. If one that was there before turns out to be closed, ask is called
// again with a new one.
func (d *Directory) use(ctx context.Context, at **connection, prepare, ask func(*connection) error) error {
	for {
		c, fresh := *at, false
		*at = nil
		if c != nil && (c.IsClosing() || time.Since(c.used) > maxUnused) {
			c.close()
			c = nil
		}
		if c == nil {
			var err error
			if c, err = d.dial(ctx); err != nil {
				return err
			}
			fresh = true
			if err := c.limit(ctx, prepare); err != nil {
				c.close()
				return err
			}
		}
		err := c.limit(ctx, ask)
		if !ldap.IsErrorWithCode(err, ldap.ErrorNetwork) && !c.IsClosing() && ctx.Err() == nil {
			*at = c
			return err
		}
		c.close()
		if fresh || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
	}
}

func (c *connection) limit(ctx context.Context, ask func(*connection) error) error {
	end := c.begin(ctx)
	defer end()
	return ask(c)
}
