package bosh

import "time"

// idle is how long the client may be without a request that waits.
func (s *Session) idle() time.Duration {
	if s.pause >= 0 {
		return s.pause
	}
	return s.settings.inactivity
}

// blocked reports whether so much waits for the stream that no request is answered. Input that the stream reads ends that: see next.
func (s *Session) blocked() bool { return s.in.bytes > inputBytes }

// ends returns when the session is forgotten, false while a request waits whose connection is there.
func (s *Session) ends() (at time.Time, ok bool) {
	switch {
	case s.final && s.order.given == nil: // there is nothing to ask for again
		return time.Time{}, true
	case s.live():
		return time.Time{}, false
	}
	return s.quiet.Add(s.idle()), true
}

// rearm sets the timer to the next time at which fire has something to do.
func (s *Session) rearm() {
	at, due := s.ends()
	if o := &s.order; len(o.held) > 0 && !s.blocked() && (!due || o.held[0].until.Before(at)) {
		at, due = o.held[0].until, true
	}
	if due {
		s.timer.Reset(time.Until(at))
	} else {
		s.timer.Stop()
	}
}

// fire does what is due: it answers requests that have waited long enough, ends a session whose client is gone, and forgets one that has ended.
func (s *Session) fire() {
	s.mu.Lock()
	now := time.Now()
	for len(s.order.held) > 0 && !s.blocked() && !now.Before(s.order.held[0].until) {
		s.answerOldest(answer{}, true)
	}
	if at, ok := s.ends(); !ok || now.Before(at) {
		s.rearm()
		s.mu.Unlock()
		return
	}
	s.over, s.final = true, true
	s.release(answer{terminate: true, condition: NotFound})
	s.in.end()
	s.out.signal()
	s.mu.Unlock()
	s.remove()
}
