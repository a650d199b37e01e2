package router

import (
	"context"
	"slices"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// receiversPerFlush is how many receivers of a broadcast get its stanzas before their queues are flushed: so few that their sessions and
// the buffers of their queues are still in the processor's cache then.
const receiversPerFlush = 64

// Broadcast is Collect for a goroutine that also sends the same stanzas to many receivers. each sends every stanza of a list, whose To is
// empty, to every one of some receivers, and flushes; it sets their Found. The functions belong to one goroutine.
func (e *Endpoint) Broadcast() (send func(*stanza.Stanza), each func(list []*stanza.Stanza, to []stanza.Receiver), flush func()) {
	b := NewBatch(context.Background())
	f := &fanout{router: e.router, batch: b, flush: true}
	send = func(st *stanza.Stanza) {
		if e.isOwn(st) {
			e.router.RouteIn(b, st)
		}
	}
	each = func(list []*stanza.Stanza, to []stanza.Receiver) {
		if slices.IndexFunc(list, func(st *stanza.Stanza) bool { return !e.isOwn(st) }) < 0 {
			f.send(list, to)
		}
	}
	return send, each, b.Flush
}

// RouteToEach routes some stanzas, whose To is empty, to each of several receivers, before the answer is sent. What several requests of one
// read cause is written together.
func (q *IQ) RouteToEach(list []*stanza.Stanza, to []stanza.Receiver) {
	f := &fanout{router: q.Host.router, batch: q.batch}
	f.send(list, to)
}

// fanout sends the same stanzas to many sessions. It looks up each session once, and runs only the stages that concern the stanzas.
type fanout struct {
	router  *Router
	batch   *Batch
	flush   bool // after every receiversPerFlush receivers
	plans   []plan
	touched int
}

// plan is which stages of a host concern some stanzas.
type plan struct {
	host    *Host
	stanzas []planned
}

// planned is what is done with one stanza.
type planned struct {
	stages []*Stage
	shared bool // no stage needs a copy for each receiver
}

func (f *fanout) send(list []*stanza.Stanza, to []stanza.Receiver) {
	copies := stanza.NewBatch(len(list) * len(to))
	for some := range slices.Chunk(to, receiversPerFlush) {
		f.touch(some)
		for i := range some {
			b := f.session(&some[i])
			for k, st := range list {
				if b == nil || st.Kind == stanza.IQ {
					f.router.RouteIn(f.batch, copies.Copy(st, some[i].JID))
					continue
				}
				p := f.plan(b.account.host, list, k)
				if !p.shared || b.sharer == nil {
					st = copies.Copy(st, some[i].JID)
				}
				b.account.host.deliverToSession(f.batch, b, p.stages, st)
			}
		}
		if f.flush {
			f.batch.Flush()
		}
	}
	f.plans = f.plans[:0]
}

// session returns the receiver's session on this server; nil if there is none, so that the usual rules apply.
func (f *fanout) session(to *stanza.Receiver) *Bound {
	if b, ok := to.Found.(*Bound); ok && !b.ended.Load() {
		return b
	}
	to.Found = nil
	h := f.router.Host(to.JID)
	if h == nil {
		return nil
	}
	a := h.directory.find(to.JID)
	if a == nil || accountState(a.state.Load()) != open {
		return nil
	}
	b := a.Session(to.JID)
	if b != nil {
		to.Found = b
	}
	return b
}

// plan returns what a host does with the stanza of the list that has an index.
func (f *fanout) plan(h *Host, list []*stanza.Stanza, index int) planned {
	for i := range f.plans {
		if f.plans[i].host == h {
			return f.plans[i].stanzas[index]
		}
	}
	p := plan{h, make([]planned, len(list))}
	for i, st := range list {
		stages, shared := []*Stage(nil), st.Kind == stanza.Message
		for k := range h.stages {
			if s := &h.stages[k]; s.Inbound != nil && (s.Skip == nil || !s.Skip(st)) {
				stages = append(stages, s)
				shared = shared && s.Shared
			}
		}
		p.stanzas[i] = planned{stages, shared}
	}
	f.plans = append(f.plans, p)
	return p.stanzas[index]
}

// deliverToSession delivers a message or presence to a session, through some of the inbound stages. The To of a message may be empty.
func (h *Host) deliverToSession(b *Batch, to *Bound, stages []*Stage, st *stanza.Stanza) {
	p := h.newPass(b, to.account, st)
	defer p.free()
	p.Session = b.sender(st)
	if st.Kind == stanza.Message {
		p.Targets = append(p.Targets, to) // RFC 6121 §8.5.3.1
	} else if !presenceType(st.Type) {
		h.router.Counters.Dropped.Add(1)
		return
	}
	for _, s := range stages {
		if err := s.Inbound(b.context(), p); err != nil {
			p.Stanza = addressed(p.Stanza, to)
			h.end(p, err, s.Name)
			return
		}
	}
	if st.Kind == stanza.Presence {
		h.receivePresence(p)
		return
	}
	for _, to := range p.Targets {
		if p.Stanza.To.IsZero() && to.sharer != nil {
			to.sharer.DeliverShared(p.Stanza)
			to.appended(b)
		} else {
			to.deliver(b, addressed(p.Stanza, to))
		}
	}
}

// addressed returns the stanza with the session as its receiver, if it has none.
func addressed(st *stanza.Stanza, to *Bound) *stanza.Stanza {
	if st.To.IsZero() {
		return st.WithTo(to.jid)
	}
	return st
}

// Sharer is implemented by sessions that take stanzas which go to others too.
type Sharer interface {
	// DeliverShared is Deliver for a stanza whose To is empty: the session's JID is written in its place.
	DeliverShared(*stanza.Stanza)
	// Touch reads memory that DeliverShared and Flush use, so that it is in the processor's cache then. Its result has no meaning.
	Touch() int
}

// touch reads memory that deliveries to some sessions use, of all of them before it is needed: so the processor loads the memory of several
// sessions at the same time. In a room of thousands little of it is in the cache.
func (f *fanout) touch(some []stanza.Receiver) {
	for i := range some {
		b, ok := some[i].Found.(*Bound)
		if !ok || b.sharer == nil {
			continue
		}
		f.touched += b.sharer.Touch()
		for k := 0; k < len(b.account.cells); k += 2 { // two in a cache line
			if b.account.cells[k].value.Load() != nil {
				f.touched++
			}
		}
	}
}
