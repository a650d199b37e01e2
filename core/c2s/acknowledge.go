package c2s

import (
	"time"

	"github.com/dragoman-im/dragoman/core/resumption"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
	"github.com/dragoman-im/dragoman/core/unacked"
)

// count makes the connection count the stanzas of its client, from n on; saved is the number that is stored.
func (c *conn) count(m *management, n, saved uint32) {
	hooks := resumption.HandledHooks{
		Answer: c.acknowledge,
		Failed: func() { c.Stop(errNotStored) },
	}
	if m.stored() {
		hooks.Save = m.save
	}
	c.handled = resumption.NewHandled(n, saved, hooks)
	m.handled.Store(c.handled)
}

// acknowledge tells the client that n stanzas are handled. Any goroutine may call it.
func (c *conn) acknowledge(n uint32) {
	c.Append(func(dst []byte) []byte {
		return append(append(append(dst, "<a xmlns='"+nsManagement+"' h='"...), formatCount(n)...), "'/>"...)
	})
	c.Queue().Flush()
}

// requested handles a request for an acknowledgement. Requests that came together get one answer: see Flush.
func (c *conn) requested(it *stream.Item) error {
	if c.handled == nil {
		return c.unexpected(it)
	}
	c.asked = true
	return nil
}

// acknowledged handles an acknowledgement of the client (XEP-0198 §4).
func (c *conn) acknowledged(it *stream.Item) error {
	m := c.session.management.Load()
	if m == nil {
		return c.unexpected(it)
	}
	h, ok := stream.ParseCount(it.Attr("h"))
	if !ok {
		return stream.NewError(stream.BadFormat, "h is not a number of stanzas")
	}
	return m.acknowledged(h)
}

func (m *management) acknowledged(h uint32) error {
	if sent, ok := m.out.Ack(h); !ok {
		return stream.HandledCountTooHigh(h, sent)
	}
	m.forget(h)
	m.saveProgress()
	return nil
}

// added stores a stanza that would be lost with this process.
func (m *management) added(n uint32, st *stanza.Stanza) {
	if !m.stored() || !m.keeper.Alone(st) {
		return
	}
	id := stanza.NewID()
	m.resumed.mu.Lock()
	m.resumed.kept = append(m.resumed.kept, keptStanza{n, id})
	m.resumed.mu.Unlock()
	s := m.session
	s.server.cfg.Sessions.KeepStanza(s.jid.Bare(), m.id.Name, resumption.Stanza{ID: id, Number: n, At: time.Now(), Stanza: st})
}

// forget deletes stored stanzas that are acknowledged.
func (m *management) forget(h uint32) {
	r := &m.resumed
	var ids []string
	r.mu.Lock()
	kept := r.kept[:0]
	for _, k := range r.kept {
		if int32(k.number-h) <= 0 {
			ids = append(ids, k.id)
		} else {
			kept = append(kept, k)
		}
	}
	if r.kept = kept; len(kept) == 0 {
		r.kept = nil
	}
	r.mu.Unlock()
	if s := m.session; len(ids) > 0 {
		s.server.cfg.Sessions.ForgetStanzas(s.jid.Bare(), m.id.Name, ids)
	}
}

// progress returns what is stored about the stanzas to the client.
func (m *management) progress() resumption.Progress {
	acked, since := m.out.Acked()
	after := since.Add(-replayMargin)
	if after.Before(m.floor) {
		after = m.floor
	}
	return resumption.Progress{Acked: acked, After: after}
}

// save stores that n stanzas of the client are handled.
func (m *management) save(n uint32, done func(error)) {
	s := m.session
	m.resumed.mu.Lock()
	m.resumed.progress = time.Now()
	m.resumed.mu.Unlock()
	s.server.cfg.Sessions.SaveProgress(s.jid.Bare(), m.id.Name, m.progress(), &n, done)
}

// saveProgress stores what the client has acknowledged, now and then: if it is lost, the client gets something twice after a crash.
func (m *management) saveProgress() {
	if !m.stored() {
		return
	}
	m.resumed.mu.Lock()
	due := time.Since(m.resumed.progress) > progressWait
	if due {
		m.resumed.progress = time.Now()
	}
	m.resumed.mu.Unlock()
	if s := m.session; due {
		s.server.cfg.Sessions.SaveProgress(s.jid.Bare(), m.id.Name, m.progress(), nil, nil)
	}
}

// FactsChanged stores the session.
func (m *management) FactsChanged() {
	if !m.stored() || m.closed.Load() || m.saving.Swap(true) {
		return
	}
	s := m.session
	s.server.cfg.Sessions.SaveSession(s.jid.Bare(), m.saved, nil)
}

// saved returns what is stored about the session.
func (m *management) saved() resumption.Saved {
	m.saving.Store(false) // a later change stores it again
	s := m.session
	facts, err := s.port.Facts().Marshal()
	if err != nil {
		s.server.log.Error("facts of a session not stored", "jid", s.jid, "err", err)
	}
	p := m.progress()
	_, p.Handled = m.handled.Load().Count()
	return resumption.Saved{ID: m.id, JID: s.jid, Client: s.client, Max: m.max, Facts: facts, Progress: p}
}

// ask is called by the timer: it requests an acknowledgement, or ends a connection whose client does not answer.
func (m *management) ask() {
	c := m.session.conn.Load()
	if c == nil {
		return
	}
	switch m.out.RequestDue() {
	case unacked.Unasked:
		c.Queue().Request()
		c.Queue().Flush()
	case unacked.Overdue:
		c.server.Counters.Silent.Add(1)
		c.Stop(stream.ErrSilent)
		return
	case unacked.AllAcked:
		return
	}
	m.timer.Reset(unacked.AckWait)
}

// overflow ends a session whose client does not acknowledge. What it did not acknowledge goes back to the router.
func (m *management) overflow() {
	if !m.full.Swap(true) {
		m.session.server.Counters.Unacked.Add(1)
	}
	if c := m.session.conn.Load(); c != nil {
		c.Stop(errUnacked)
	}
}
