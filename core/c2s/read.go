package c2s

import (
	"errors"
	"os"
	"time"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

var (
	errSilent  = stream.NewError(stream.ConnectionTimeout, "no answer")
	errLateTLS = stream.NewError(stream.ConnectionTimeout, "no TLS in time")
	errLate    = stream.NewError(stream.ConnectionTimeout, "not logged in in time")
)

// Read is what the scanner reads from. It is called when all that has arrived is used
// up: the place to send what that has led to, and to wait.
func (c *conn) Read(p []byte) (int, error) {
	c.batch.Flush()
	c.queue.Flush()
	if c.wait > 0 {
		c.throttle()
	}
	if pace := c.server.cfg.Pace; pace != nil {
		pace(c.stopped)
	}
	for {
		if err := c.setDeadline(); err != nil {
			return 0, err
		}
		if why := c.why.Load(); why != nil { // after the deadline was set: stop sets it again
			return 0, *why
		}
		n, err := c.net.Read(p)
		if n > 0 {
			c.pinged = false
			c.account(n)
			return n, nil
		}
		if why := c.why.Load(); why != nil {
			return 0, *why
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return 0, err
		}
		if err := c.silence(); err != nil {
			return 0, err
		}
	}
}

// setDeadline gives the client its time: fixed before it is logged in, then as long as
// it says something. Setting it anew for every read would cost more than the read.
func (c *conn) setDeadline() error {
	l := &c.server.limits
	var until time.Time
	switch {
	case c.leaving:
		until = c.began.Add(closeTime)
	case c.session != nil:
		now := time.Now()
		if c.deadline.Sub(now) > l.Idle-l.Idle/4 {
			return nil
		}
		until = now.Add(l.Idle)
	case !c.secure && !c.server.cfg.Plain:
		until = c.began.Add(min(l.TLSWait, l.LoginWait))
	default:
		until = c.began.Add(l.LoginWait)
	}
	if until.Equal(c.deadline) {
		return nil
	}
	c.deadline = until
	return c.tcp.SetReadDeadline(until)
}

// silence is what follows when the time is over: a question first, then the end.
func (c *conn) silence() error {
	if time.Until(c.deadline) > 0 { // it was stop that woke us, for something that is done
		c.deadline = time.Time{}
		return nil
	}
	switch {
	case c.session == nil && !c.secure && !c.server.cfg.Plain:
		return errLateTLS
	case c.session == nil:
		return errLate
	case c.leaving:
		return errSilent
	case c.pinged:
		c.server.Counters.Silent.Add(1)
		return errSilent // RFC 6120 §4.9.3.4
	}
	c.pinged = true
	c.send(stanza.NewIQ(c.session.jid, c.host.Router.Domain(), stanza.TypeGet, stanza.NewElement(nsPing, "ping")))
	c.queue.Flush()
	return nil
}

// account takes n bytes from the client's share, in whatever state the stream is: white space
// between elements is bounded by nothing else.
func (c *conn) account(n int) {
	if c.limiter == nil {
		return
	}
	if r := c.limiter.ReserveN(time.Now(), n); r.OK() {
		c.wait = r.Delay()
	} else {
		c.wait = time.Duration(float64(n) / float64(c.limiter.Limit()) * float64(time.Second))
	}
}

// throttle reads nothing for a while, so that TCP makes the client slow down.
func (c *conn) throttle() {
	c.server.Counters.Throttled.Add(1)
	pause(c.ctx, c.wait, c.stopped)
	c.wait = 0
}
