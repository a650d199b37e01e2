package bosh

import "time"

// idle is how long the client may be without a request that waits.
func (s *Session) idle() time.Duration {
	if s.pause >= 0 {
		return s.pause
	}
	return s.settings.inactivity
}

// rearm sets the timer to the next time at which something is due.
func (s *Session) rearm() {
	at := s.quiet.Add(s.idle())
	switch {
	case s.final && s.order.given == nil:
		at = time.Now() // there is nothing to repeat
	case s.final:
		at = s.quiet.Add(s.settings.inactivity)
	case s.live():
		at = s.order.held[0].until
	case len(s.order.held) > 0 && s.order.held[0].until.Before(at):
		at = s.order.held[0].until
	}
	wait := time.Until(at)
	if s.timer == nil {
		s.timer = time.AfterFunc(wait, s.fire)
		return
	}
	s.timer.Reset(wait)
}

// fire does what is due: it answers requests that have waited long enough, ends a session whose client is gone, and forgets one that has ended.
func (s *Session) fire() {
	s.mu.Lock()
	now := time.Now()
	for len(s.order.held) > 0 && !now.Before(s.order.held[0].until) && s.in.bytes <= inputBytes {
		s.give(answer{}, true)
	}
	gone := !s.live() && !now.Before(s.quiet.Add(s.idle()))
	if s.final && s.order.given == nil || gone {
		s.over, s.final = true, true
		s.release(answer{terminate: true, condition: NotFound})
		s.in.end()
		s.out.signal()
		s.mu.Unlock()
		s.remove()
		return
	}
	s.rearm()
	s.mu.Unlock()
}
