package fake

import "time"

// limiter holds calls of a method to n in any stretch of time.
type limiter struct {
	n     int
	per   time.Duration
	times map[string][]time.Time // by token and, where there is one, channel
}

// Limit makes the stand-in as strict as Slack: each token may call the method n times in any
// per, for methods with a channel in each channel; more are answered 429. With n 0 there is
// no limit any more.
func (s *Server) Limit(method string, n int, per time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n <= 0 {
		delete(s.limits, method)
		return
	}
	s.limits[method] = &limiter{n: n, per: per, times: map[string][]time.Time{}}
}

// limited is how long a call must wait, or 0. mu must be held.
func (s *Server) limited(method, who string) time.Duration {
	l := s.limits[method]
	if l == nil {
		return 0
	}
	now := s.opt.Now()
	times := l.times[who]
	for len(times) > 0 && now.Sub(times[0]) >= l.per {
		times = times[1:]
	}
	if len(times) >= l.n {
		l.times[who] = times
		return l.per - now.Sub(times[0])
	}
	l.times[who] = append(times, now)
	return 0
}

// Calls is how often a method was called, whatever came of it.
func (s *Server) Calls(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[method]
}
