package router

import (
	"context"
	"sync"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// A stanza is safe when a crash of this process cannot lose it: when the stages have committed what they store of it
// and, where there are sessions to receive it, it was written to the socket of one of them. The latter is a
// simplification: only an acknowledgement by the client (XEP-0198) would prove that it arrived.

// WriteNotifier is implemented by sessions that report when the stanzas delivered so far have been written
// to the socket; written is false if they never will be.
type WriteNotifier interface{ NotifyWritten(done func(written bool)) }

// safeWait waits until the stanzas of one call of SendAll are safe.
type safeWait struct {
	taken func()
	done  func(error)

	mu      sync.Mutex
	writes  int // that have not ended, and one for the call itself
	sockets int // that have not ended
	written bool
	over    bool
	err     error
}

// BeginWrite implements Writes.
func (s *safeWait) BeginWrite() func(error) {
	s.mu.Lock()
	s.writes++
	s.mu.Unlock()
	return s.endWrite
}

func (s *safeWait) endWrite(err error) {
	s.mu.Lock()
	if s.err == nil {
		s.err = err
	}
	s.writes--
	s.report(false)
}

// awaitSocket waits until a session's stanzas are written to its socket.
func (s *safeWait) awaitSocket(to WriteNotifier) {
	s.mu.Lock()
	s.sockets++
	s.mu.Unlock()
	to.NotifyWritten(func(written bool) {
		s.mu.Lock()
		first := written && !s.written
		s.written = s.written || written
		s.sockets--
		s.report(first)
	})
}

// report calls what is due, and unlocks. first is true for the first socket that has the stanzas.
func (s *safeWait) report(first bool) {
	now := !s.over && s.writes == 0 && (s.written || s.sockets == 0)
	s.over = s.over || now
	first = first && !s.over
	err := s.err
	s.mu.Unlock()
	if first {
		s.taken()
	}
	if now {
		s.done(err)
	}
}

// SendAll is Send for several stanzas. done is called once they are safe, or with an error if a write has
// failed. taken is called before that where a socket has them while there are still writes under way: after a crash the
// stanzas need not be sent again, but what the stages store of them may be missing. Both may be called before SendAll
// returns, from any goroutine, and must not block.
func (e *Endpoint) SendAll(list []*stanza.Stanza, taken func(), done func(error)) {
	s := &safeWait{writes: 1, taken: taken, done: done}
	b := NewBatch(context.Background())
	b.wait, b.writes = s, s
	for _, st := range list {
		if e.isOwn(st) {
			e.router.RouteIn(b, st)
		}
	}
	b.Flush()
	s.endWrite(nil)
}
