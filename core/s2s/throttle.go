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

// throttle waits after a stanza of a domain, so that TCP flow control slows the peer down, if all connections of that domain together send
// more than they may. It flushes before.
func (r *receiver) throttle(c *stream.Conn, size int) {
	d := r.limits
	if d == nil || d.rate == nil {
		return
	}
	wait := time.Duration(float64(size) / float64(d.rate.Limit()) * float64(time.Second))
	if res := d.rate.ReserveN(time.Now(), size); res.OK() {
		wait = res.Delay()
	}
	if wait > 0 {
		r.server.Counters.Throttled.Add(1)
		r.flush()
		c.Queue().Flush()
		c.Pause(wait)
	}
}
