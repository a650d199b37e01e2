package router

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// MaxDirected is to how many addresses one session may have sent directed presence
// without taking it back.
const MaxDirected = 2000

// Session is a bound resource. Its methods are called from any goroutine.
type Session interface {
	JID() jid.JID // full
	// Deliver appends to a bounded queue and never blocks.
	Deliver(*stanza.Stanza)
	Flush()
	// Close ends the stream with a stream error (RFC 6120 §4.9.3) and does not wait;
	// an empty condition ends it without one.
	Close(condition, text string)
}

// Settler is a Session that tells when what was delivered to it has been taken by the
// socket; taken is false where it never will.
type Settler interface{ Settle(done func(taken bool)) }

// Presence is the last available presence of a session. It is not changed.
type Presence struct {
	Stanza   *stanza.Stanza
	Priority int8
	Since    time.Time
}

// Bound is a session as the directory knows it, with the state that others ask for.
type Bound struct {
	sink
	session Session
	patient Patient // the session, where it is one
	jid     jid.JID
	gone    atomic.Bool

	presence   atomic.Pointer[Presence]
	interested atomic.Bool
	values     atomic.Pointer[[]slot]

	mu       sync.Mutex
	directed map[jid.JID]struct{}
}

type slot struct{ key, value any }

// NewBound is for directories and tests; others call Host.Bind.
func NewBound(s Session) *Bound {
	patient, _ := s.(Patient)
	return &Bound{sink: sink{Queued: s}, session: s, patient: patient, jid: s.JID()}
}

// JID is the full address.
func (b *Bound) JID() jid.JID { return b.jid }

// Session is the session itself.
func (b *Bound) Session() Session { return b.session }

// Send delivers a stanza to this session alone and flushes it.
func (b *Bound) Send(st *stanza.Stanza) { b.deliver(nil, st) }

// Close ends the session.
func (b *Bound) Close(condition, text string) { b.session.Close(condition, text) }

// Presence is nil while the session is not available.
func (b *Bound) Presence() *Presence { return b.presence.Load() }

// SetPresence sets the presence and returns the one before; nil makes it unavailable.
func (b *Bound) SetPresence(p *Presence) *Presence { return b.presence.Swap(p) }

// Interested tells whether the session has asked for the roster (RFC 6121 §2.1.6).
func (b *Bound) Interested() bool { return b.interested.Load() }

// SetInterested makes the session get roster pushes.
func (b *Bound) SetInterested(on bool) { b.interested.Store(on) }

// Value is what SetValue stored; keys are types of the feature's own, as with contexts.
func (b *Bound) Value(key any) any {
	if slots := b.values.Load(); slots != nil {
		for i := range *slots {
			if (*slots)[i].key == key {
				return (*slots)[i].value
			}
		}
	}
	return nil
}

// SetValue keeps something for as long as the session lasts; nil takes it away.
func (b *Bound) SetValue(key, value any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var slots []slot
	if old := b.values.Load(); old != nil {
		for _, s := range *old {
			if s.key != key {
				slots = append(slots, s)
			}
		}
	}
	if value != nil {
		slots = append(slots, slot{key, value})
	}
	b.values.Store(&slots)
}

// AddDirected notes that the session has sent directed presence to that address; it
// returns false where there are too many already (RFC 6121 §4.6.2).
func (b *Bound) AddDirected(to jid.JID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.directed[to]; ok {
		return true
	}
	if len(b.directed) >= MaxDirected {
		return false
	}
	if b.directed == nil {
		b.directed = map[jid.JID]struct{}{}
	}
	b.directed[to] = struct{}{}
	return true
}

// RemoveDirected is the reverse of AddDirected; it tells whether the address was there.
func (b *Bound) RemoveDirected(to jid.JID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, ok := b.directed[to]
	delete(b.directed, to)
	return ok
}

// Directed lists the addresses of AddDirected.
func (b *Bound) Directed() []jid.JID {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := make([]jid.JID, 0, len(b.directed))
	for to := range b.directed {
		list = append(list, to)
	}
	return list
}

// TakeDirected is Directed and forgets them.
func (b *Bound) TakeDirected() []jid.JID {
	list := b.Directed()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.directed = nil
	return list
}

// knows tells whether the session has sent directed presence to that address, or to
// its bare address, or to another resource of it (a room and its occupants).
func (b *Bound) knows(other jid.JID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.directed) == 0 {
		return false
	}
	if _, ok := b.directed[other]; ok {
		return true
	}
	bare := other.Bare()
	for to := range b.directed {
		if to.Bare() == bare {
			return true
		}
	}
	return false
}
