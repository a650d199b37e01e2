package stream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dragoman-im/dragoman/core/outbound"
)

// Leave ends our direction of the stream and continues to handle the peer's input until the peer ends
// its direction (RFC 6120 §4.4). It returns why the stream ended.
func (c *Conn) Leave() error {
	c.sendClose()
	c.queue.Flush()
	c.state.leaving = true
	c.Expire(time.Now().Add(closeTime), ErrSilent)
	c.stop.reason.Store(nil)
	return c.Run()
}

// Close ends the stream because of err, which Run or Leave returned, then the connection (RFC 6120 §4.4,
// §4.9.1.1). header, which may be nil, is called to send our header if none has been sent: a stream error must
// follow a header (§4.9.1.2). When Close returns, no goroutine of the connection runs.
func (c *Conn) Close(err error, header func()) {
	ctx, cancel := context.WithTimeout(c.ctx, closeTime)
	defer cancel()
	c.neverRest()
	c.handler.Flush()
	c.sendEnd(err, header)
	if c.queue.Close(ctx) == nil && !PeerGone(err) {
		if l, ok := c.base().(lingerer); ok {
			l.Linger(time.Now().Add(lingerTime))
		}
	}
	_ = c.base().Close() // an error changes nothing: no more is written
	c.queue.Wait()
}

// sendEnd appends the stream error and the end tag, unless err means that the peer must not or cannot get them.
func (c *Conn) sendEnd(err error, header func()) {
	switch {
	case c.state.leaving, errors.Is(err, ErrLeave), PeerGone(err):
		return
	case errors.Is(err, ErrHandshake): // RFC 6120 §5.4.3.2: not even the end of the stream
		return
	}
	if !c.state.headerSent {
		if header == nil {
			return
		}
		header()
	}
	if e := reportable(err); e != nil {
		c.sendError(e)
	}
	c.sendClose()
}

// reportable returns the stream error that the peer gets because of err, nil for none.
func reportable(err error) *Error {
	if _, ok := errors.AsType[PeerError](err); ok || errors.Is(err, ErrEnded) || errors.Is(err, ErrNoTLS) {
		return nil
	}
	return AsError(err)
}

// Reported returns the stream error that Close sends to the peer because of err, nil for none.
func Reported(err error) *Error {
	if PeerGone(err) || errors.Is(err, ErrLeave) || errors.Is(err, ErrHandshake) {
		return nil
	}
	return reportable(err)
}

// queueFailed is called by the queue.
func (c *Conn) queueFailed(err error, _ int) {
	if errors.Is(err, outbound.ErrSlow) {
		c.config.Counters.Slow.Add(1)
	}
	c.Stop(fmt.Errorf("%w: %w", errWrite, err))
}
