package s2s

import (
	"time"

	"github.com/dragoman-im/dragoman/core/stream"
)

// minBurst is the least number of bytes that all connections of a domain with a rate may send at once.
const minBurst = 16 << 10

// stanzaLimits returns the limits of a stanza from a domain.
func (s *Server) stanzaLimits(domain string) stream.Limits {
	l := s.limits().Stanza
	if d := s.rule(domain).Limits; d != nil && d.stanza > 0 {
		l.Bytes = d.stanza
	}
	return l
}

// stanzaBurst is for how many seconds the stanzas that DomainLimits allows may come at once.
const stanzaBurst = 5

// reserve returns how long to wait after an element of that many bytes. What is larger than the burst counts in parts: it must not pass the
// limiter, or each of several connections could send as fast as all of them may together.
func (d *DomainLimits) reserve(now time.Time, size int) (wait time.Duration) {
	if d.stanzas != nil {
		wait = d.stanzas.ReserveN(now, 1).DelayFrom(now)
	}
	if d.rate == nil {
		return wait
	}
	var bytes time.Duration
	for burst := d.rate.Burst(); size > 0; size -= burst {
		bytes = d.rate.ReserveN(now, min(size, burst)).DelayFrom(now)
	}
	return max(wait, bytes)
}

// limit makes the limits of a domain count for what comes next.
func (r *receiver) limit(domain string) {
	r.limits, r.limited = r.server.rule(domain).Limits, domain
}

// after ends the handling of an element of that many bytes, of whatever kind: it throttles unless there was an error, which it returns.
func (r *receiver) after(c *stream.Conn, size int, err error) error {
	if err == nil && r.limits != nil {
		r.throttle(c, size)
	}
	return err
}

// throttle waits after an element of a domain, so that TCP flow control slows the peer down, if all connections of that domain together send
// more than they may. It flushes before.
func (r *receiver) throttle(c *stream.Conn, size int) {
	if wait := r.limits.reserve(time.Now(), size); wait > 0 {
		r.server.Counters.Throttled.Add(1)
		r.flush()
		c.Queue().Flush()
		c.Pause(wait)
	}
}
