package s2s

import (
	"context"
	"time"

	"github.com/dragoman-im/dragoman/core/outbound"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// restoreEvery is how often it is looked whether there is room for another attempt to connect for a restored link.
const restoreEvery = 20 * time.Millisecond

// DeliverRecorded implements router.Recorder.
func (s *Server) DeliverRecorded(st *stanza.Stanza, w router.Writes) {
	if box := s.links.outbox; s.cfg.Router.Serves(st.From) && box.Keeps(st, s.cfg.Router.Host(st.From) != nil) {
		var full bool
		if st, full = box.Add(st, w); full {
			s.giveBack(st, stanzaError(errFull))
			return
		}
	}
	s.Deliver(st)
}

// Restore reads the messages that an earlier process has left, and makes them wait in their links, which Run connects. Call it when all
// domains are attached, and before anybody sends something.
func (s *Server) Restore(ctx context.Context) error {
	n := 0
	err := s.links.outbox.Load(ctx, s.cfg.Router, func(st *stanza.Stanza) {
		n++
		s.restore(st)
	})
	if n > 0 {
		s.cfg.Log.Info("messages to other servers are sent again that were not acknowledged", "messages", n)
	}
	return err
}

func (s *Server) restore(st *stanza.Stanza) {
	l := s.links.add(s, pairOf(st))
	if l == nil {
		s.giveBack(st, stanzaError(errCrowded))
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state == idle {
		l.state = connecting
		s.links.restored = append(s.links.restored, l)
	}
	l.waiting = append(l.waiting, outbound.Retained{Stanza: st}) // whatever the limits: it was accepted before
	l.grow(outbound.RetainedSize(st))
}

// connectRestored connects the links of Restore. It leaves others most of the attempts.
func (s *Server) connectRestored(ctx context.Context) {
	tick := time.NewTicker(restoreEvery)
	defer tick.Stop()
	for _, l := range s.links.restored {
		for all := s.limits().Attempts; all > 0 && s.opening.attempts.Load() >= int64(max(1, all/shareOfAttempts)); {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
		s.connect(l)
	}
	s.links.restored = nil
}
