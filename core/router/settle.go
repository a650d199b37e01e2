package router

import (
	"context"
	"sync"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// settling waits for what the stanzas of one call of SendAll have begun: until the socket of
// a receiver has taken them or, where nobody is there, the stages have written them.
type settling struct {
	mu   sync.Mutex
	open int
	over bool
	err  error
	done func(error)
}

// Begin announces a write to wait for; the returned function ends it.
func (s *settling) Begin() func(error) {
	s.mu.Lock()
	s.open++
	s.mu.Unlock()
	return func(err error) { s.end(err, false) }
}

// give waits for a session to be rid of what it was given.
func (s *settling) give(to Settler) {
	s.mu.Lock()
	s.open++
	s.mu.Unlock()
	to.Settle(func(taken bool) { s.end(nil, taken) })
}

// end ends one of them. What a receiver has got must not come to him again, whatever becomes
// of the copy in the archive.
func (s *settling) end(err error, taken bool) {
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
// by any goroutine, once a crash of this process cannot take them back: when the socket of
// a receiver has taken them, or the stages have written what they keep. An error tells that
// something could not be written. It must not block.
func (e *Endpoint) SendAll(list []*stanza.Stanza, done func(error)) {
	s := &settling{open: 1, done: done}
	b := NewBatch(context.Background())
	b.settling = s
	for _, st := range list {
		if e.own(st) {
			e.router.RouteIn(b, st)
		}
	}
	b.Flush()
	s.end(nil, false)
}
