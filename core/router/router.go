package router

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Destination receives the stanzas of a domain, or of all domains that are not in the table.
type Destination interface {
	// Deliver accepts a stanza without blocking.
	Deliver(*stanza.Stanza)
}

// Queued is a Destination whose Deliver only appends to a queue, which Flush sends.
type Queued interface {
	Destination
	Flush()
}

// Recorder is a Queued destination that stores what must not be lost until it is sent.
type Recorder interface {
	Queued
	// DeliverRecorded is Deliver, and registers what it stores with w, which may be nil.
	DeliverRecorded(st *stanza.Stanza, w Writes)
}

// ErrTaken is returned by Attach if the domain has a destination already.
var ErrTaken = errors.New("domain is taken")

// Router holds the table of domains. It is safe for use by any goroutine.
type Router struct {
	log    *slog.Logger
	table  atomic.Pointer[map[string]route]
	remote atomic.Pointer[route]
	mu     sync.Mutex // held while the table is copied

	lookups lookups

	// Counters may be read at any time.
	Counters Counters
}

// Counters counts the stanzas that were not delivered.
type Counters struct {
	Bounced  atomic.Uint64 // answered with an error
	Dropped  atomic.Uint64 // ignored without an answer
	Overflow atomic.Uint64 // refused by a full queue of an endpoint
}

// route is an entry of the table; exactly one of its fields is set.
type route struct {
	host *Host
	sink *sink
	dest Destination
}

// New returns a router with an empty table.
func New(log *slog.Logger) *Router {
	r := &Router{log: log, lookups: newLookups(log)}
	r.table.Store(&map[string]route{})
	return r
}

// Attach adds a domain and its destination to the table.
func (r *Router) Attach(domain jid.JID, d Destination) error {
	if !domain.IsHost() {
		return fmt.Errorf("attach %q: not a domain", domain)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	old := *r.table.Load()
	if _, taken := old[domain.String()]; taken {
		return fmt.Errorf("attach %s: %w", domain, ErrTaken)
	}
	table := maps.Clone(old)
	table[domain.String()] = routeTo(d)
	r.table.Store(&table)
	return nil
}

// Detach removes a domain from the table; its stanzas then go to the remote destination.
func (r *Router) Detach(domain jid.JID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	table := maps.Clone(*r.table.Load())
	delete(table, domain.String())
	r.table.Store(&table)
}

// SetRemote sets the destination for all domains that are not in the table; nil unsets it.
func (r *Router) SetRemote(d Destination) {
	if d == nil {
		r.remote.Store(nil)
		return
	}
	to := routeTo(d)
	r.remote.Store(&to)
}

// Serves reports whether the domain is in the table. A connection from another server must check it, so
// that nothing is relayed between two remote servers.
func (r *Router) Serves(domain jid.JID) bool {
	_, ok := (*r.table.Load())[domain.Domain()]
	return ok
}

// Internal reports whether a domain is served by this process: as a host, or by an Endpoint.
func (r *Router) Internal(domain jid.JID) bool {
	to := (*r.table.Load())[domain.Domain()]
	_, endpoint := to.dest.(*Endpoint)
	return to.host != nil || endpoint
}

// Host returns the served host of a domain, or nil.
func (r *Router) Host(domain jid.JID) *Host {
	return (*r.table.Load())[domain.Domain()].host
}

// ArchivesForSenders reports whether the destination of a domain archives what it is sent: see
// Endpoint.ArchiveForSenders.
func (r *Router) ArchivesForSenders(domain jid.JID) bool {
	e, ok := (*r.table.Load())[domain.Domain()].dest.(*Endpoint)
	return ok && e.keeper.Load()
}

// Route delivers a stanza to the destination of its domain and flushes the queues it was appended to.
func (r *Router) Route(st *stanza.Stanza) { r.RouteIn(nil, st) }

// RouteIn is Route for a caller with a Batch, which flushes the queues later.
func (r *Router) RouteIn(b *Batch, st *stanza.Stanza) {
	to, ok := (*r.table.Load())[st.To.Domain()]
	if !ok {
		remote := r.remote.Load()
		if remote == nil || st.To.IsZero() {
			r.Bounce(b, st, stanza.RemoteServerNotFound(""))
			return
		}
		to = *remote
	}
	switch {
	case to.host != nil:
		to.host.deliver(b, st)
	case to.sink != nil:
		to.sink.deliver(b, st)
	default:
		to.dest.Deliver(st)
	}
}

// Bounce answers a stanza that cannot be delivered with an error. Errors, results and unavailable presence
// are dropped instead: an answer to an answer could loop forever (RFC 6120 §8.3.1).
func (r *Router) Bounce(b *Batch, st *stanza.Stanza, e *stanza.Error) {
	var reply *stanza.Stanza
	if !st.From.IsZero() && (st.Kind != stanza.Presence || st.Type != stanza.TypeUnavailable) {
		reply = st.ErrorReply(e)
	}
	if reply == nil {
		r.Counters.Dropped.Add(1)
		return
	}
	r.Counters.Bounced.Add(1)
	r.RouteIn(b, reply)
}

func routeTo(d Destination) route {
	switch d := d.(type) {
	case *Host:
		return route{host: d}
	case Queued:
		recorder, _ := d.(Recorder)
		return route{sink: &sink{Queued: d, recorder: recorder}}
	}
	return route{dest: d}
}
