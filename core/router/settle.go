package router

import (
	"context"
	"sync"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// settling waits for all that the stanzas of one call of SendAll have begun: writes of the
// stages, and bytes for the sockets of the receivers.
type settling struct {
	mu   sync.Mutex
	open int
	err  error
	done func(error)
}

// Begin announces something to wait for; the returned function ends it.
func (s *settling) Begin() func(error) {
	s.mu.Lock()
	s.open++
	s.mu.Unlock()
	return s.end
}

func (s *settling) end(err error) {
	s.mu.Lock()
	if s.err == nil {
		s.err = err
	}
	s.open--
	last, err := s.open == 0, s.err
	s.mu.Unlock()
	if last {
		s.done(err)
	}
}

// SendAll is Send for several stanzas. done is called, perhaps before SendAll returns and
// by any goroutine, once a crash of this process cannot take them back: when stages have
// written what they keep, and sockets have taken what goes to clients. An error tells that
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
	s.end(nil)
}
