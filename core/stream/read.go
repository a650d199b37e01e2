package stream

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// minBurst is the least that is read at once where there is a rate.
const minBurst = 16 << 10

// aLongTimeAgo is a deadline that ends a Read in progress.
var aLongTimeAgo = time.Unix(1, 0)

// clock is how long the peer may be silent.
type clock struct {
	until  time.Time // fixed end; zero: the idle time of the configuration counts
	late   error     // ends the stream at until
	set    time.Time // the read deadline that is set; zero: unknown
	pinged bool      // since the peer was silent
}

// intake is how much the peer may send.
type intake struct {
	limiter *rate.Limiter // nil: no limit
	wait    time.Duration // before the next read
	budget  int           // bytes until Establish; 0: no limit
	excess  error         // ends the stream when the budget is used up

	frame  []byte // that was read last
	opened bool   // a framed stream has had its open element
}

func (in *intake) init(config *Config) {
	if config.Rate > 0 {
		in.limiter = rate.NewLimiter(rate.Limit(config.Rate), max(config.Burst, minBurst))
	}
}

// stopper is how others end or wake the reader.
type stopper struct {
	reason atomic.Pointer[error]
	woken  atomic.Bool
	once   sync.Once
	done   chan struct{} // closed by the first Stop
}

// Stop makes Run return err; the first call counts. It does not wait. With ErrLeave the owner calls Leave.
func (c *Conn) Stop(err error) {
	if c.stop.reason.CompareAndSwap(nil, &err) {
		c.stop.once.Do(func() { close(c.stop.done) })
		_ = c.base().SetReadDeadline(aLongTimeAgo) // a closed transport returns by itself
	}
}

// Stopping reports whether Stop has been called.
func (c *Conn) Stopping() bool { return c.stop.reason.Load() != nil }

// Stopped is closed by Stop: what blocks in the connection's goroutine waits for it too.
func (c *Conn) Stopped() <-chan struct{} { return c.stop.done }

// Wake makes the reader call Handler.Flush again. It does not wait.
func (c *Conn) Wake() {
	c.stop.woken.Store(true)
	_ = c.base().SetReadDeadline(aLongTimeAgo)
}

// Expire ends the stream at a fixed time with the error late, unless Establish or another Expire is called before.
func (c *Conn) Expire(at time.Time, late error) {
	c.clock.until, c.clock.late = at, late
}

// Budget ends the stream with the error excess once n bytes have been read before Establish.
func (c *Conn) Budget(n int, excess error) { c.intake.budget, c.intake.excess = n, excess }

// input is the Conn as its scanner sees it. An idle connection keeps all frames between Group.Go and the
// system call on its stack: one more function here costs 4 KiB a session.
type input Conn

// Read reads into p, or the next frame. It is called when all that has arrived is used up: here
// everything is flushed that this input has caused.
func (in *input) Read(p []byte) (n int, err error) {
	c := (*Conn)(in)
	c.flush()
	if c.intake.wait > 0 {
		c.throttle()
	}
	if pace := c.config.Pace; pace != nil {
		pace(c.stop.done)
	}
	for {
		if err = c.setDeadline(); err != nil {
			return 0, err
		}
		if why := c.stop.reason.Load(); why != nil { // after the deadline was set: Stop sets it again
			return 0, *why
		}
		if c.stop.woken.Load() && c.stop.woken.Swap(false) {
			c.flush()
			c.clock.set = time.Time{}
			continue
		}
		if c.frames != nil {
			n, err = c.readFrame()
		} else {
			n, err = c.transport.Read(p)
		}
		if n > 0 {
			c.clock.pinged = false
			if err = c.count(n); err != nil {
				return 0, err // with bytes the scanner would pass over it
			}
			return n, nil
		}
		if why := c.stop.reason.Load(); why != nil {
			return 0, *why
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return 0, err
		}
		if err = c.silence(); err != nil {
			return 0, err
		}
	}
}

func (c *Conn) readFrame() (n int, err error) {
	c.intake.frame, err = c.frames.ReadFrame()
	return len(c.intake.frame), err
}

func (c *Conn) flush() {
	c.handler.Flush()
	c.queue.Flush()
}

// setDeadline sets the read deadline. To set the one of an established stream for every read would cost more
// than the read.
func (c *Conn) setDeadline() error {
	until := c.clock.until
	if until.IsZero() {
		now, idle := time.Now(), c.config.Idle
		if c.clock.set.Sub(now) > idle-idle/4 {
			return nil
		}
		until = now.Add(idle)
	}
	if until.Equal(c.clock.set) {
		return nil
	}
	c.clock.set = until
	return c.base().SetReadDeadline(until)
}

// silence is called when the deadline has passed: first a ping is sent, then the stream ends.
func (c *Conn) silence() error {
	if time.Until(c.clock.set) > 0 { // Stop or Wake has set another deadline, and is done with
		c.clock.set = time.Time{}
		return nil
	}
	switch {
	case !c.clock.until.IsZero():
		return c.clock.late
	case c.clock.pinged:
		c.config.Counters.Silent.Add(1)
		return ErrSilent
	}
	c.clock.pinged = true
	c.Send(c.handler.Ping())
	c.queue.Flush()
	return nil
}

// count takes n bytes from what the peer may send, in whatever state the stream is: nothing else limits
// white space between elements.
func (c *Conn) count(n int) error {
	in := &c.intake
	if in.budget > 0 {
		if in.budget -= n; in.budget <= 0 {
			return in.excess
		}
	}
	if in.limiter == nil {
		return nil
	}
	if r := in.limiter.ReserveN(time.Now(), n); r.OK() {
		in.wait = r.Delay()
	} else {
		in.wait = time.Duration(float64(n) / float64(in.limiter.Limit()) * float64(time.Second))
	}
	return nil
}

// throttle reads nothing for a while, so that flow control makes the peer slow down.
func (c *Conn) throttle() {
	c.config.Counters.Throttled.Add(1)
	c.Pause(c.intake.wait)
	c.intake.wait = 0
}

// Pause blocks for d; false if Stop or the end of the context came before.
func (c *Conn) Pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.stop.done:
	case <-c.ctx.Done():
	}
	return false
}

// Sync waits until all that is pending is written, at most for d; false if it was not.
func (c *Conn) Sync(ctx context.Context, d time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return !errors.Is(c.queue.Sync(ctx), context.DeadlineExceeded)
}

func isNetError(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) || errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded)
}
