package router

import (
	"context"
	"sync"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// A stanza is safe when a crash of this process cannot lose it: when the stages have committed
// what they store of it, or when it was written to a receiver's socket. The latter is a
// simplification: only an acknowledgement by the client (XEP-0198) would prove that it arrived.

// WriteNotifier is implemented by sessions that report when the stanzas delivered so far have been written
// to the socket; written is false if they never will be.
type WriteNotifier interface{ NotifyWritten(done func(written bool)) }

// safeWait waits until the stanzas of one call of SendAll are safe.
type safeWait struct {
	mu   sync.Mutex
	open int
	over bool
	err  error
	done func(error)
}

// beginWrite registers a write to wait for; the returned function ends it.
func (s *safeWait) beginWrite() func(error) {
	s.mu.Lock()
	s.open++
	s.mu.Unlock()
	return func(err error) { s.end(err, false) }
}

// awaitSocket waits until a session's stanzas are written to its socket.
func (s *safeWait) awaitSocket(to WriteNotifier) {
	s.mu.Lock()
	s.open++
	s.mu.Unlock()
	to.NotifyWritten(func(taken bool) { s.end(nil, taken) })
}

// end ends the wait for one write. If a receiver's socket took the stanza, SendAll succeeds even if the
// archive's write failed: a repetition would deliver the stanza twice.
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

// SendAll is Send for several stanzas. done is called once they are safe, or with an error if a write has
// failed. It may be called before SendAll returns, from any goroutine, and must not block.
func (e *Endpoint) SendAll(list []*stanza.Stanza, done func(error)) {
	s := &safeWait{open: 1, done: done}
	b := NewBatch(context.Background())
	b.wait = s
	for _, st := range list {
		if e.isOwn(st) {
			e.router.RouteIn(b, st)
		}
	}
	b.Flush()
	s.end(nil, false)
}
