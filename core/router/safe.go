package router

import (
	"context"
	"sync"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// A stanza is safe when no crash of this process can take it back: when the stages have
// committed what they keep of it, or a receiver's socket has taken it. The socket is a shortcut
// of a single node, and until clients acknowledge stanzas (XEP-0198): with several nodes only
// what is committed or acknowledged by the client survives the loss of any one of them.

// Settler is a Session that reports when what was delivered to it has been taken by the
// socket; taken is false where it never will.
type Settler interface{ Settle(done func(taken bool)) }

// safeWait waits until the stanzas of one call of SendAll are safe.
type safeWait struct {
	mu   sync.Mutex
	open int
	over bool
	err  error
	done func(error)
}

// beginWrite announces a write to wait for; the returned function ends it.
func (s *safeWait) beginWrite() func(error) {
	s.mu.Lock()
	s.open++
	s.mu.Unlock()
	return func(err error) { s.end(err, false) }
}

// awaitSocket waits for a session to be rid of what was delivered to it.
func (s *safeWait) awaitSocket(to Settler) {
	s.mu.Lock()
	s.open++
	s.mu.Unlock()
	to.Settle(func(taken bool) { s.end(nil, taken) })
}

// end ends one of them. What a receiver has got must not come to it again, whatever becomes
// of the copy in the archive.
func (s *safeWait) end(err error, taken bool) {
	s.mu.Lock()
	if s.err == nil {
		s.err = err
	}
	s.open--
	now := !s.over && (taken || s.open == 0)
	s.over = s.over || now
	if err = s.err; taken {
		err = nil
	}
	s.mu.Unlock()
	if now {
		s.done(err)
	}
}

// SendAll is Send for several stanzas. done is called, perhaps before SendAll returns and
// by any goroutine, once they are safe. An error says that something could not be written.
// done must not block.
func (e *Endpoint) SendAll(list []*stanza.Stanza, done func(error)) {
	s := &safeWait{open: 1, done: done}
	b := NewBatch(context.Background())
	b.wait = s
	for _, st := range list {
		if e.own(st) {
			e.router.RouteIn(b, st)
		}
	}
	b.Flush()
	s.end(nil, false)
}
