package stream

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// A connection that is silent for a while rests: its goroutine ends, and with it its stack, which the login has made large. A Watcher waits
// for the input of all of them.

// ErrRest is returned by Run when the connection rests: its goroutine ends without an end of the stream. See Group.Go.
var ErrRest = errors.New("stream: the connection rests")

// Watcher waits for input of transports that no goroutine reads: a *socket.Watcher.
type Watcher interface {
	// Watch calls ready once when t has input or has ended, unless Forget is called before. It returns false if t cannot be
	// watched. ready must not block.
	Watch(t any, ready func()) bool
	// Forget ends what Watch has begun.
	Forget(t any)
	// Run makes the calls until Close is called.
	Run()
	// Close makes Watch return false.
	Close()
}

// rest is the state by which a connection rests and continues.
type rest struct {
	reads atomic.Uint32 // how often input was read since Establish, 0 before
	asked atomic.Bool   // Group.Rest has found the connection silent

	// Of the goroutine that runs the connection.
	serve func() (rests bool)
	begin bool // serve has returned true
	late  bool // the deadline has passed while the connection rested

	mu      sync.Mutex
	watcher Watcher // while it rests, else nil
	until   int64   // the deadline, in nanoseconds since 1970
	never   bool    // the transport cannot be watched, or the connection is being closed
	seen    uint32  // reads when askToRest was called last
}

// Rest lets connections rest that are silent between two of its rounds, until ctx ends. every is the time between those; deadlines of
// connections that rest are as late, so connections whose Config.Idle is not much longer do not rest. The server of the connections calls
// Rest once, in a goroutine of its own.
func (g *Group) Rest(ctx context.Context, w Watcher, every time.Duration) {
	g.watcher.Store(&w)
	var running sync.WaitGroup
	running.Go(w.Run)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			g.restSilent(now, every)
			continue
		case <-ctx.Done():
		}
		break
	}
	g.watcher.Store(nil)
	w.Close()
	for _, c := range g.list() { // no other one rests from now on
		c.endRest(false)
	}
	running.Wait()
}

// restSilent looks at all connections once.
func (g *Group) restSilent(now time.Time, every time.Duration) {
	for _, c := range g.list() {
		if c.askToRest(now, every) {
			c.endRest(true)
		}
	}
}

// askToRest makes the reader of a silent connection decide whether it rests: see mayRest. If the connection rests, it reports whether its
// deadline has passed.
func (c *Conn) askToRest(now time.Time, every time.Duration) (late bool) {
	r := &c.rest
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.watcher != nil {
		return r.until <= now.UnixNano()
	}
	n := r.reads.Load()
	if n == r.seen && n > 0 && !r.never && c.config.Idle >= 4*every {
		r.asked.Store(true)
		_ = c.base().SetReadDeadline(aLongTimeAgo) // it fails on a closed transport only
	}
	r.seen = n
	return false
}

// neverRest makes the connection keep its goroutine.
func (c *Conn) neverRest() {
	c.rest.mu.Lock()
	defer c.rest.mu.Unlock()
	c.rest.never = true
}

// mayRest is called by the reader when its deadline has passed.
func (c *Conn) mayRest() bool {
	return c.rest.asked.Load() && c.rest.asked.Swap(false) && c.state.established && !c.state.leaving && c.frames == nil
}

// beginRest is called by the goroutine of the connection at its end. The connection continues in another one when there is input, or when
// endRest is called.
func (c *Conn) beginRest(g *Group) {
	r := &c.rest
	r.begin = false
	c.scanner.rest()
	r.mu.Lock()
	r.until = c.clock.set.UnixNano()
	c.clock.set = time.Time{} // what is set is in the past
	if w := g.watcher.Load(); w != nil {
		if (*w).Watch(c.transport, func() { c.endRest(false) }) {
			r.watcher = *w
		} else {
			r.never = true
		}
	}
	rests := r.watcher != nil
	r.mu.Unlock()
	switch {
	case !rests:
		go g.run(c)
	case c.Stopping() || c.stop.woken.Load(): // perhaps before it rested
		c.endRest(false)
	}
}

// endRest continues a connection that rests. Any goroutine may call it.
func (c *Conn) endRest(late bool) {
	r := &c.rest
	r.mu.Lock()
	w := r.watcher
	if w != nil {
		w.Forget(c.transport)
		r.watcher, r.late = nil, late
	}
	r.mu.Unlock()
	if w != nil {
		go c.group.run(c)
	}
}
