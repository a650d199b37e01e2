package outbox

import (
	"cmp"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/unacked"
)

// Store has the messages on the disk.
type Store interface {
	// Add queues a message. done is called when it is on the disk, or need not be any more because remove was called.
	Add(st *stanza.Stanza, done func(error)) (remove func())
	// Load calls each for the messages that an earlier process has left, in order.
	Load(ctx context.Context, each func(st *stanza.Stanza, at time.Time, remove func())) error
	// Flush makes what was removed be gone from the disk.
	Flush(ctx context.Context) error
}

// Limits limit what is kept. Fields that are zero have the defaults of this package; negative ones mean no limit.
type Limits struct {
	Off     bool  // nothing is added
	Stanzas int   // of one pair of domains; 20,000
	Bytes   int   // of one pair; 16 MiB
	Total   int64 // bytes of all pairs; 256 MiB. With more, a pair that would have more than an equal share of it gets no more
}

// Counters count how often limits were reached. They may be read at any time.
type Counters struct{ Stanzas, Bytes, Total atomic.Uint64 }

// Outbox are the messages. Any goroutine may call its methods.
type Outbox struct {
	store    Store // nil: nothing is kept
	counters *Counters
	limits   atomic.Pointer[Limits]

	mu    sync.Mutex
	all   map[*stanza.Stanza]kept
	pairs map[pair]*messages
	bytes int64
}

type pair struct{ ours, theirs string }

type kept struct {
	remove func()
	of     *messages
}

// messages are those of one pair of domains.
type messages struct {
	pair           pair
	stanzas, bytes int
	written        []written // without stream management, in order; some may be released
}

// New returns an empty outbox. With a store that is nil it keeps nothing.
func New(store Store, c *Counters) *Outbox {
	o := &Outbox{store: store, counters: c, all: map[*stanza.Stanza]kept{}, pairs: map[pair]*messages{}}
	o.SetLimits(Limits{})
	return o
}

// SetLimits replaces the limits. What is kept already stays.
func (o *Outbox) SetLimits(l Limits) {
	l.Stanzas, l.Bytes, l.Total = cmp.Or(l.Stanzas, 20_000), cmp.Or(l.Bytes, 16<<20), cmp.Or(l.Total, 256<<20)
	o.limits.Store(&l)
}

// Keeps reports whether a stanza must not be lost. account says that it is from an account, or from its domain, not from a room or a gateway.
func (o *Outbox) Keeps(st *stanza.Stanza, account bool) bool {
	if o.store == nil || st.Kind != stanza.Message || o.limits.Load().Off {
		return false
	}
	switch st.Type {
	case stanza.TypeError, stanza.TypeHeadline: // RFC 6121 §8.5.2.1.1: nobody stores a headline
		return false
	case stanza.TypeGroupchat:
		if !account {
			return false
		}
	}
	return !message.Transient(st) // XEP-0334 §4.1, §4.2; chat states
}

// Add adds a message, and registers its write with w, which may be nil. It returns what is to be sent. full means that a limit is reached and
// nothing was added.
func (o *Outbox) Add(st *stanza.Stanza, w router.Writes) (sent *stanza.Stanza, full bool) {
	st, over := o.reserve(st)
	if over != nil {
		over.Add(1)
		return st, true
	}
	var done func(error)
	if w != nil {
		done = w.BeginWrite()
	}
	remove := o.store.Add(st, done)
	o.mu.Lock()
	defer o.mu.Unlock()
	k := o.all[st]
	k.remove = remove
	o.all[st] = k
	return st, false
}

// reserve counts a message, or a copy of one that is kept already, and returns it, or the counter of the limit that it would exceed. Nobody
// else has the message that it returns, and releases it, before Add returns.
func (o *Outbox) reserve(st *stanza.Stanza) (sent *stanza.Stanza, over *atomic.Uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, ok := o.all[st]; ok {
		st = st.Copy() // it is sent to the same address again
	}
	if over = o.over(st); over == nil {
		o.insert(st, nil)
	}
	return st, over
}

// over returns the counter of the limit that a further message would exceed, nil if there is none. The lock is held.
func (o *Outbox) over(st *stanza.Stanza) *atomic.Uint64 {
	size, limits, pairs := unacked.Size(st), o.limits.Load(), len(o.pairs)
	of := o.pairs[pairOf(st)]
	if of == nil {
		of = &messages{}
		pairs++
	}
	switch {
	case limits.Total > 0 && o.bytes+int64(size) > limits.Total && int64(of.bytes+size) > limits.Total/int64(pairs):
		return &o.counters.Total // domains that acknowledge nothing do not keep others from being sent messages
	case limits.Stanzas > 0 && of.stanzas >= limits.Stanzas:
		return &o.counters.Stanzas
	case of.stanzas > 0 && limits.Bytes > 0 && of.bytes+size > limits.Bytes:
		return &o.counters.Bytes
	}
	return nil
}

func pairOf(st *stanza.Stanza) pair { return pair{st.From.Domain(), st.To.Domain()} }

// insert adds a message. The lock is held.
func (o *Outbox) insert(st *stanza.Stanza, remove func()) {
	p, size := pairOf(st), unacked.Size(st)
	of := o.pairs[p]
	if of == nil {
		of = &messages{pair: p}
		o.pairs[p] = of
	}
	of.stanzas++
	of.bytes += size
	o.bytes += int64(size)
	o.all[st] = kept{remove, of}
}

// Load reads what an earlier process has left. Each message that is still to be sent to another server is added, and each is called with it. A
// message from a host that was removed is dropped, and one to a domain that r serves now is given to r.
func (o *Outbox) Load(ctx context.Context, r *router.Router, each func(*stanza.Stanza)) error {
	if o.store == nil {
		return nil
	}
	return o.store.Load(ctx, func(st *stanza.Stanza, at time.Time, remove func()) {
		if ours, err := jid.Parse(st.From.Domain()); err == nil && !message.DelayedBy(st, ours) {
			st = st.With(message.Delay(ours, at)) // XEP-0203 §3: it may come for the second time
		}
		if from, to := r.Serves(st.From), r.Serves(st.To); !from || to {
			if from {
				r.Route(st)
			}
			remove()
			return
		}
		o.mu.Lock()
		o.insert(st, remove)
		o.mu.Unlock()
		each(st)
	})
}

// Release removes stanzas of which nothing is to be done any more: the other servers have them, or the senders have got them back. Those
// that are not kept are passed over.
func (o *Outbox) Release(list ...*stanza.Stanza) {
	if o.store == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, st := range list {
		o.drop(st)
	}
}

// drop removes a message. The lock is held.
func (o *Outbox) drop(st *stanza.Stanza) {
	k, ok := o.all[st]
	if !ok {
		return
	}
	delete(o.all, st)
	k.remove()
	size := unacked.Size(st)
	o.bytes -= int64(size)
	k.of.bytes -= size
	if k.of.stanzas--; k.of.stanzas == 0 {
		delete(o.pairs, k.of.pair)
	}
}

// Has reports whether a stanza is kept.
func (o *Outbox) Has(st *stanza.Stanza) bool {
	if o.store == nil {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	_, ok := o.all[st]
	return ok
}

// Flush makes what was released be gone from the disk.
func (o *Outbox) Flush(ctx context.Context) error {
	if o.store == nil {
		return nil
	}
	return o.store.Flush(ctx)
}
