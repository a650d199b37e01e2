package stream

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// abandonTime is how long Shutdown waits for goroutines whose transports it has closed.
	abandonTime = 500 * time.Millisecond
	// acceptPause is the time between two attempts while accepting fails.
	acceptPause = 100 * time.Millisecond
)

// Counters are the counters of connections of one kind. Any goroutine may read them.
type Counters struct {
	Throttled atomic.Uint64 // waits because of the byte rate
	Silent    atomic.Uint64 // ended because a ping was not answered
	Slow      atomic.Uint64 // ended because the peer did not read
	Panics    atomic.Uint64
}

// Group is the connections of one server, each with its goroutine.
type Group struct {
	base   context.Context
	cancel context.CancelFunc
	wait   sync.WaitGroup

	watcher atomic.Pointer[Watcher] // nil unless Rest runs

	mu       sync.Mutex
	conns    map[*Conn]struct{}
	stopping bool
}

// NewGroup returns an empty group.
func NewGroup() *Group {
	g := &Group{conns: map[*Conn]struct{}{}}
	g.base, g.cancel = context.WithCancel(context.Background())
	return g
}

// Context returns the base context of the group's connections. Shutdown ends it.
func (g *Group) Context() context.Context { return g.base }

// Go calls serve in a new goroutine; serve must call c.Close at its end and return false, or return true when Run has returned ErrRest: then
// it is called again, in another goroutine, when the connection goes on. A panic ends this connection only.
// After a call of Shutdown, Go returns false and the caller closes the transport.
func (g *Group) Go(c *Conn, serve func() (rests bool)) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopping {
		return false
	}
	g.conns[c] = struct{}{}
	g.wait.Add(1)
	c.rest.serve = serve
	c.group = g
	go g.run(c)
	return true
}

func (g *Group) run(c *Conn) {
	defer g.ended(c)
	c.rest.begin = c.rest.serve()
}

// ended removes c from the group after a panic or a normal end, or lets it rest; the connection's goroutine defers it.
func (g *Group) ended(c *Conn) {
	if v := recover(); v != nil {
		c.panicked(v)
		_ = c.base().Close()
	} else if c.rest.begin {
		c.beginRest(g)
		return
	}
	g.mu.Lock()
	delete(g.conns, c)
	g.mu.Unlock()
	g.wait.Done()
}

// Len returns the number of connections.
func (g *Group) Len() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.conns)
}

// Shutdown refuses new connections and stops the existing ones with err. It returns when all have ended. If ctx
// ends before that, it closes their transports and returns the number of connections whose goroutines still run
// after abandonTime because a handler blocks. Stop the listeners first.
func (g *Group) Shutdown(ctx context.Context, err error) (left int) {
	for _, c := range g.stop() {
		c.Stop(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		g.wait.Wait()
	}()
	defer g.cancel()
	select {
	case <-done:
		return 0
	case <-ctx.Done():
	}
	g.cancel()
	for _, c := range g.stop() {
		go func() { _ = c.base().Close() }() // a transport may block, too
	}
	select {
	case <-done:
		return 0
	case <-time.After(abandonTime):
		return g.Len()
	}
}

// stop makes Go refuse new connections, and returns the existing ones.
func (g *Group) stop() []*Conn {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stopping = true
	return g.all()
}

// list returns the connections.
func (g *Group) list() []*Conn {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.all()
}

// all is list with the lock held.
func (g *Group) all() []*Conn {
	list := make([]*Conn, 0, len(g.conns))
	for c := range g.conns {
		list = append(list, c)
	}
	return list
}

// Accept calls serve, which must not block, for each connection that arrives, until ctx ends. It closes the listener.
func Accept(ctx context.Context, l net.Listener, log *slog.Logger, serve func(net.Conn)) error {
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	defer func() { _ = l.Close() }()
	for {
		nc, err := l.Accept()
		if err == nil {
			serve(nc)
			continue
		}
		if ctx.Err() != nil {
			return nil
		}
		if t, ok := err.(interface{ Temporary() bool }); !ok || !t.Temporary() {
			return fmt.Errorf("accept on %s: %w", l.Addr(), err)
		}
		log.Error("connection not accepted", "err", err) // for example too many open files
		select {
		case <-time.After(acceptPause):
		case <-ctx.Done():
		}
	}
}
