package s2s

import (
	"errors"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/resumption"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// receiver handles the stanzas that another server sends on a connection. It belongs to the goroutine of that.
type receiver struct {
	server  *Server
	batch   *router.Batch
	rights  rights
	policy  *Policy // that the rights were last checked against
	managed managedIn
	limits  *DomainLimits // of the domain of the latest stanza, which is limited; nil: no limits
	limited string
	// suits reports whether the connection is good enough for a domain of the other server with that rule.
	suits func(theirs string, rule Rule) bool
	// extends reports whether the other server may send for a pair that it did not ask for, and adds the right.
	extends func(pair) bool
}

// managedIn is the state of stream management (XEP-0198).
type managedIn struct {
	self      *atomic.Pointer[stream.Conn] // the connection, until it has ended
	handled   *resumption.Handled          // counts the stanzas of the peer; nil without stream management
	asked     bool                         // the peer wants to know the count
	resumable *resumable                   // nil if the stream cannot be resumed
}

// handle checks one stanza and routes it. An error ends the stream.
func (r *receiver) handle(it *stream.Item) error {
	r.server.Counters.Received.Add(1)
	h := r.managed.handled
	if h == nil {
		return r.route(it)
	}
	r.batch.SetWrites(h.Begin())
	err := r.route(it)
	if err == nil {
		h.End()
	}
	return err
}

func (r *receiver) route(it *stream.Item) error {
	s := r.server
	st, err := it.Stanza()
	if _, malformed := errors.AsType[*stanza.Error](err); malformed {
		return errAddresses // RFC 6120 §4.9.3.7; checklist 102
	}
	if err != nil {
		return err
	}
	if err := r.authorise(st); err != nil {
		return err
	}
	if !s.cfg.Router.Serves(st.To) { // it did when the right was given
		s.cfg.Router.Bounce(r.batch, st, stanza.ItemNotFound(""))
		return nil
	}
	s.cfg.Router.RouteIn(r.batch, st)
	return nil
}

// authorise checks that the peer may send a stanza (RFC 6120 §8.1.2.2; checklist 108).
func (r *receiver) authorise(st *stanza.Stanza) error {
	if st.From.IsZero() || st.To.IsZero() {
		return errAddresses
	}
	p := pair{ours: st.To.Domain(), theirs: st.From.Domain()}
	if now := r.server.policy.Load(); now != r.policy {
		r.policy, r.limited = now, ""
		for other := range r.rights.all {
			if !r.suits(other.theirs, now.Rule(other.theirs)) {
				return errRefused
			}
		}
	}
	if !r.rights.has(p) && !r.extends(p) || r.server.cfg.Router.Serves(st.From) { // it may be ours since the right was given
		r.server.Counters.Forged.Add(1)
		return errInvalidFrom
	}
	if r.limited != p.theirs {
		r.limits, r.limited = r.policy.Rule(p.theirs).Limits, p.theirs
	}
	return nil
}

// flush flushes the queues that stanzas were appended to, and answers requests for acknowledgements: those that came together get one
// answer.
func (r *receiver) flush() {
	r.batch.Flush()
	if r.managed.asked {
		r.managed.asked = false
		r.managed.handled.Request()
	}
}

// count begins to count the stanzas of the peer, from n on. They are acknowledged when what the server stores of them is committed.
func (r *receiver) count(c *stream.Conn, n uint32) {
	self := &atomic.Pointer[stream.Conn]{}
	self.Store(c)
	use := func(f func(*stream.Conn)) {
		if c := self.Load(); c != nil {
			f(c)
		}
	}
	r.managed.self = self
	r.managed.handled = resumption.NewHandled(n, n, resumption.HandledHooks{
		Answer: func(n uint32) { use(func(c *stream.Conn) { acknowledgeHandled(c, n) }) },
		Failed: func() { use(func(c *stream.Conn) { c.Stop(errNotStored) }) },
	})
}

// acknowledgeHandled tells the peer that n stanzas are handled. Any goroutine may call it.
func acknowledgeHandled(c *stream.Conn, n uint32) {
	c.Append(func(dst []byte) []byte {
		return append(append(append(dst, "<a xmlns='"+stream.NSManagement+"' h='"...), formatCount(n)...), "'/>"...)
	})
	c.Queue().Flush()
}

// settle waits until what the peer has sent is stored, and acknowledges it: the peer need not send it again. err is why the stream ends.
func (r *receiver) settle(err error) {
	if h := r.managed.handled; h != nil && !stream.PeerGone(err) && err != errResumed && err != errNotStored {
		await(h.Settled())
		h.Request()
	}
}
