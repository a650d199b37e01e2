package s2s

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/socket"
	"github.com/dragoman-im/dragoman/core/stream"
)

// connect makes a connection for a link: one that there is already, if the other server agrees, or a new one.
func (s *Server) connect(l *link) {
	if c := s.incoming.find(l.pair); c != nil && c.carry(l) {
		return
	}
	if o := s.directory.find(l.pair.theirs); o != nil && o.adopt(l) {
		return
	}
	s.openFor(l)
}

// openFor opens a new connection for a link.
func (s *Server) openFor(l *link) {
	o := &outConn{server: s, pair: l.pair}
	o.shared.asked = map[pair]*request{l.pair: {link: l}}
	s.open(o, &s.opening.attempts, s.limits().Attempts)
}

// open opens a connection. A domain that does not answer delays no other one: each attempt has a goroutine, and where there are too many
// of them further ones fail at once.
func (s *Server) open(o *outConn, count *atomic.Int64, limit int) {
	if o.deadline.IsZero() {
		o.deadline = time.Now().Add(s.limits().Wait)
	}
	o.retry = func(next *outConn) { s.open(next, count, limit) }
	if limit > 0 && count.Add(1) > int64(limit) {
		count.Add(-1)
		s.Counters.LimitCounters.Crowded.Add(1)
		o.fail(errCrowded)
		return
	}
	o.opened = sync.OnceFunc(func() {
		if limit > 0 {
			count.Add(-1)
		}
	})
	if !s.opening.start(o.dial) {
		o.opened()
		o.fail(errStopping)
	}
}

// start runs f in a goroutine; false if the server is stopping.
func (p *opening) start(f func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx.Err() != nil {
		return false
	}
	p.running.Go(f)
	return true
}

// stop makes start return false and ends the attempts.
func (p *opening) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cancel()
}

// dial connects to the other server. If that succeeds, serve goes on in another goroutine.
func (o *outConn) dial() {
	s := o.server
	ctx, cancel := context.WithDeadline(s.opening.ctx, o.deadline)
	defer cancel()
	var target *Target
	err := errBlocked
	if !s.rule(o.pair.theirs).Refused {
		target, err = s.cfg.Dialer.Dial(ctx, o.pair.theirs)
	}
	if err != nil {
		o.opened()
		o.fail(fmt.Errorf("connect: %w", err))
		return
	}
	o.target = target
	current := s.current.Load()
	o.carrier = &carrier{Conn: stream.NewConn(s.conns.Context(), &current.out, socket.New(target.Conn), o), outbox: s.links.outbox}
	o.receiver = receiver{
		server: s, batch: router.NewBatch(s.conns.Context()), suits: o.suits, extends: func(pair) bool { return false },
	}
	o.AddLog("domain", o.pair.theirs, "from", o.pair.ours, "addr", target.Address)
	o.Expire(o.deadline, errLate)
	o.Budget(negotiationBytes, errFlood)
	if !s.conns.Go(o.Conn, o.serve) {
		_ = target.Conn.Close()
		o.opened()
		o.fail(errStopping)
	}
}

// directory has the outgoing connections on which dialback requests can be sent, by the domain of the other server.
type directory struct {
	mu  sync.Mutex
	all map[string][]*outConn
}

func (d *directory) add(o *outConn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.Contains(d.all[o.pair.theirs], o) {
		d.all[o.pair.theirs] = append(d.all[o.pair.theirs], o)
	}
}

func (d *directory) remove(o *outConn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := o.pair.theirs
	d.all[key] = slices.DeleteFunc(d.all[key], func(other *outConn) bool { return other == o })
	if len(d.all[key]) == 0 {
		delete(d.all, key)
	}
}

// find returns a connection to a domain, nil if there is none.
func (d *directory) find(domain string) *outConn {
	d.mu.Lock()
	defer d.mu.Unlock()
	if list := d.all[domain]; len(list) > 0 {
		return list[0]
	}
	return nil
}

// list returns all connections.
func (d *directory) list() []*outConn {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []*outConn
	for _, list := range d.all {
		all = append(all, list...)
	}
	return all
}
