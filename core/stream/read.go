package stream

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/time/rate"
)

// minBurst is the lowest burst if there is a rate: a read may return that many bytes.
const minBurst = 16 << 10

// otherFrame is what a frame counts that is not an element, such as a ping.
const otherFrame = 128

// elementSlack is taken off Config.Element when a wait is compared with it: the deadline of the read was set a little before the wait was
// measured, so that a wait until the deadline is measured as shorter.
const elementSlack = 10 * time.Millisecond

// aLongTimeAgo is a deadline that ends a Read in progress.
var aLongTimeAgo = time.Unix(1, 0)

// clock is the state of the read deadline.
type clock struct {
	until  time.Time // of Expire; zero: Config.Idle applies
	late   error     // of Expire
	set    time.Time // the read deadline that is set; zero: unknown
	pinged bool      // a ping was sent and nothing has arrived since
}

// intake is the state of the limits on input.
type intake struct {
	limiter *rate.Limiter // nil: no limit
	wait    time.Duration // before the next read
	budget  int           // bytes until Establish; 0: no limit
	excess  error         // of Budget
	spent   time.Duration // waiting for the rest of the current element

	frame  []byte // the frame that was read last
	opened bool   // the open element of a framed stream has arrived
}

func (in *intake) init(config *Config) {
	if config.Rate > 0 {
		in.limiter = rate.NewLimiter(rate.Limit(config.Rate), max(config.Burst, minBurst))
	}
}

// LimitRate sets the limit of the bytes a second that are read, which connections may share. The goroutine of Run calls it.
func (c *Conn) LimitRate(l *rate.Limiter) { c.intake.limiter = l }

// stopper is the state by which other goroutines end or wake the reader.
type stopper struct {
	reason atomic.Pointer[error]
	woken  atomic.Bool
	once   sync.Once
	done   chan struct{} // closed by the first Stop
}

// Stop makes Run return err. Only the first call has an effect. It does not wait. With ErrLeave the goroutine that called
// Run then calls Leave.
func (c *Conn) Stop(err error) {
	if c.stop.reason.CompareAndSwap(nil, &err) {
		c.stop.once.Do(func() { close(c.stop.done) })
		_ = c.base().SetReadDeadline(aLongTimeAgo) // it fails on a closed transport only, where Read returns anyway
		c.endRest(false)
	}
}

// Stopping reports whether Stop has been called.
func (c *Conn) Stopping() bool { return c.stop.reason.Load() != nil }

// Wake makes the reader call Handler.Flush again. It does not wait.
func (c *Conn) Wake() {
	c.stop.woken.Store(true)
	_ = c.base().SetReadDeadline(aLongTimeAgo)
	c.endRest(false)
}

// Expire ends the stream at the given time with the error late, unless Establish or Expire is called before.
func (c *Conn) Expire(at time.Time, late error) {
	c.clock.until, c.clock.late = at, late
}

// Budget ends the stream with the error excess when n bytes have been read before Establish is called.
func (c *Conn) Budget(n int, excess error) { c.intake.budget, c.intake.excess = n, excess }

// input is the Conn as the io.Reader of its scanner. All calls between Group.Go and the read system call are on
// the stack of an idle connection: one more function here makes the stack grow by 4 KiB per session.
type input Conn

// Read reads into p, or the next frame. It is called when all input that has arrived is handled, so it
// first flushes all output that this input has caused.
func (in *input) Read(p []byte) (n int, err error) {
	c := (*Conn)(in)
	c.flush()
	if c.intake.wait > 0 {
		c.throttle()
	}
	if pace := c.config.Pace; pace != nil {
		pace(c.stop.done)
	}
	if c.rest.late {
		c.rest.late = false
		if err = c.idleExpired(); err != nil {
			return 0, err
		}
	}
	for {
		if err = c.setDeadline(); err != nil {
			return 0, err
		}
		if why := c.stop.reason.Load(); why != nil { // checked after setDeadline, which may have overwritten the deadline of Stop
			return 0, *why
		}
		if c.stop.woken.Load() && c.stop.woken.Swap(false) {
			c.flush()
			c.clock.set = time.Time{}
			continue
		}
		if c.frames != nil {
			n, err = c.readFrame()
		} else if n, err = c.readBytes(p); errors.Is(err, ErrSlowElement) {
			return 0, err
		}
		if n > 0 {
			c.clock.pinged = false
			if c.state.established {
				c.rest.reads.Add(1)
			}
			if c.rest.asked.Load() && c.rest.asked.Swap(false) {
				c.clock.set = time.Time{} // it was changed
			}
			if err = c.count(n); err != nil {
				return 0, err // the scanner ignores an error that comes with bytes
			}
			return n, nil
		}
		if why := c.stop.reason.Load(); why != nil {
			return 0, *why
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return 0, err
		}
		if c.mayRest() {
			return 0, ErrRest
		}
		if err = c.idleExpired(); err != nil {
			return 0, err
		}
	}
}

func (c *Conn) readFrame() (n int, err error) {
	c.intake.frame, err = c.frames.ReadFrame()
	if err == nil && c.intake.frame == nil {
		return otherFrame, nil
	}
	return len(c.intake.frame), err
}

func (c *Conn) flush() {
	c.handler.Flush()
	c.queue.Flush()
}

// readBytes reads from the transport. It returns ErrSlowElement if the peer has taken longer than Config.Element to send an element.
func (c *Conn) readBytes(p []byte) (n int, err error) {
	if !c.inElement() {
		return c.transport.Read(p)
	}
	began := time.Now()
	n, err = c.transport.Read(p)
	if c.intake.spent += time.Since(began); c.intake.spent > c.config.Element-elementSlack {
		return 0, ErrSlowElement
	}
	return n, err
}

// inElement reports whether a part of an element has arrived whose rest is limited by time.
func (c *Conn) inElement() bool {
	return c.config.Element > 0 && c.state.established && c.frames == nil && c.scanner.Buffered() > 0
}

// setDeadline sets the read deadline. On an established stream it does so only after a quarter of the idle time:
// setting it for each read would cost more than the read.
func (c *Conn) setDeadline() error {
	until := c.clock.until
	if until.IsZero() {
		now, idle := time.Now(), c.config.Idle
		if c.inElement() {
			c.clock.set = now.Add(min(idle, c.config.Element-c.intake.spent))
			return c.base().SetReadDeadline(c.clock.set)
		}
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

// idleExpired is called when the deadline has passed: first a ping is sent, then the stream ends.
func (c *Conn) idleExpired() error {
	if time.Until(c.clock.set) > 0 { // it was the deadline of Stop or Wake
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
	if p, ok := c.frames.(pinger); ok {
		c.clock.pinged = true
		c.Append(p.AppendPing)
	} else if ping := c.handler.Ping(); ping != nil {
		c.clock.pinged = true
		c.Send(ping)
	} else {
		c.clock.set = time.Time{}
	}
	c.queue.Flush()
	return nil
}

// count subtracts n bytes from the budget and the rate. It counts all input, because no other limit applies to
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

// throttle waits before the next read, so that TCP flow control slows the peer down.
func (c *Conn) throttle() {
	c.config.Counters.Throttled.Add(1)
	c.Pause(c.intake.wait)
	c.intake.wait = 0
}

// Pause blocks for d. It returns false if Stop is called or the context ends before.
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

// Sync waits until all pending bytes are written, at most for d. It returns false on a timeout.
func (c *Conn) Sync(ctx context.Context, d time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return !errors.Is(c.queue.Sync(ctx), context.DeadlineExceeded)
}

func isNetError(err error) bool {
	var op *net.OpError
	var errno syscall.Errno
	return errors.As(err, &op) || errors.As(err, &errno) || errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded)
}
