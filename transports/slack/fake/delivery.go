package fake

import "time"

// envelope is something for an app that Socket Mode delivers until it is acknowledged.
type envelope struct {
	app     *App
	name    string // for the check
	payload map[string]any
	team    *Workspace
	who     []authorization
	context string

	attempt int
	ids     []string // a new one for every delivery
	over    bool     // acknowledged or given up
	done    chan struct{}
	timer   *timer
}

const keptFrames = 500 // envelopes an app's Redeliver can reach back

// publish hands envelopes to their apps and messages to the hooks. It must be called without mu.
func (s *Server) publish(o outbox) {
	for _, e := range o.envelopes {
		s.check(KindEvent, e.name, e.payload)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range o.envelopes {
		e.app.frames = append(e.app.frames, e)
		if n := len(e.app.frames); n > keptFrames {
			e.app.frames = append([]*envelope(nil), e.app.frames[n-keptFrames:]...)
		}
		s.deliver(e)
	}
	s.notices = append(s.notices, o.notices...)
	if len(s.notices) > 0 && !s.noticing && !s.closed {
		s.noticing = true
		s.wg.Go(s.dispatch)
	}
}

// dispatch calls the hooks, message by message, until none is left.
func (s *Server) dispatch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.notices) > 0 && !s.closed {
		m := s.notices[0]
		s.notices = s.notices[1:]
		hooks := s.onMessage[:len(s.onMessage):len(s.onMessage)]
		s.mu.Unlock()
		for _, f := range hooks {
			f(m)
		}
		s.mu.Lock()
	}
	s.noticing = false
}

// publishAndWait publishes and waits until all is acknowledged, but not longer than lead.
func (s *Server) publishAndWait(o outbox, lead time.Duration) {
	s.publish(o)
	t := time.NewTimer(lead)
	defer t.Stop()
	for _, e := range o.envelopes {
		select {
		case <-e.done:
		case <-t.C:
			return
		case <-s.closing:
			return
		}
	}
}

// deliver sends an envelope to the socket whose turn it is, and sees to its retries. Without
// a socket the attempt fails all the same. mu must be held.
func (s *Server) deliver(e *envelope) {
	if e.over || s.closed {
		return
	}
	id := uuid()
	e.ids = append(e.ids, id)
	s.envelopes[id] = e
	frame := map[string]any{
		"type": "events_api", "envelope_id": id, "payload": e.payload, "accepts_response_payload": false,
		"retry_attempt": e.attempt, "retry_reason": "",
	}
	if e.attempt > 0 {
		frame["retry_reason"] = "timeout"
	}
	if k := e.app.nextSocket(); k != nil && !s.down {
		k.send(frame)
	}
	e.timer = s.after(s.opt.AckTimeout, func() { s.unacknowledged(e) })
}

// unacknowledged is what happens when the time for an acknowledgement is over.
func (s *Server) unacknowledged(e *envelope) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.over {
		return
	}
	if e.attempt >= len(s.opt.RetryAfter) {
		s.forget(e)
		return
	}
	wait := s.opt.RetryAfter[e.attempt]
	e.attempt++
	e.timer = s.after(wait, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.deliver(e)
	})
}

// forget ends an envelope's deliveries. mu must be held.
func (s *Server) forget(e *envelope) {
	for _, id := range e.ids {
		delete(s.envelopes, id)
	}
	e.ids = nil
	s.cancel(e.timer)
	if !e.over {
		e.over = true
		close(e.done)
		s.changed()
	}
}

// acknowledge takes an app's acknowledgement of a delivery.
func (s *Server) acknowledge(a *App, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.envelopes[id]
	if e == nil || e.app != a {
		return
	}
	if a.dropAcks > 0 {
		a.dropAcks--
		return
	}
	s.forget(e)
}

// EndRedeliveries ends all redeliveries that are still to come, as after the third retry: what is not
// acknowledged by now the app can only find in the history. It says how many were lost.
func (s *Server) EndRedeliveries() (lost int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.apps {
		for _, e := range a.frames {
			if !e.over {
				s.forget(e)
				lost++
			}
		}
	}
	return lost
}

// Unacknowledged is the number of envelopes that wait for an acknowledgement or a retry.
func (a *App) Unacknowledged() (n int) {
	a.server.mu.Lock()
	defer a.server.mu.Unlock()
	for _, e := range a.frames {
		if !e.over {
			n++
		}
	}
	return n
}

// Redeliver sends the last n envelopes once more, acknowledged or not, with retry_attempt 1,
// as Slack does when it lost the acknowledgement. It says how many.
func (a *App) Redeliver(n int) int {
	s := a.server
	s.mu.Lock()
	defer s.mu.Unlock()
	list := a.frames[max(0, len(a.frames)-n):]
	for i, e := range list {
		s.forget(e)
		again := *e
		again.attempt, again.over, again.done = max(1, e.attempt), false, make(chan struct{})
		list[i] = &again
		s.deliver(&again)
	}
	return len(list)
}

// DropAcks loses the next n acknowledgements of the app.
func (a *App) DropAcks(n int) {
	a.server.mu.Lock()
	defer a.server.mu.Unlock()
	a.dropAcks = n
}
