package s2s

import "time"

// Statistics are the numbers of connections with other servers at one moment.
type Statistics struct {
	Domains    int // of other servers, that are connected
	In, Out    int // connections that those servers have opened, and that this one has
	Both       int // of them, used in both directions (XEP-0288)
	Connecting int // pairs of domains for which a connection is being made
	Failing    int // pairs of domains whose last attempt has failed
	Waiting    int // stanzas that wait for a connection
	// Bytes that wait for a connection, and those that connections or streams that were cut hold: not written, or not acknowledged.
	WaitingBytes, QueuedBytes int64
	ResumableIn, ResumableOut int // streams that were cut and can be resumed (XEP-0198)
}

// Statistics counts the connections. It costs as much as listing them.
func (s *Server) Statistics() (all Statistics) {
	domains := map[string]struct{}{}
	now := time.Now()
	for _, l := range s.links.list() {
		if l.count(&all, now) {
			domains[l.pair.theirs] = struct{}{}
		}
	}
	s.incoming.each(func(_ *inConn, p pair, _ time.Time) { domains[p.theirs] = struct{}{} })
	for _, c := range s.links.held.list() {
		if c.bidi {
			all.Both++
		}
	}
	s.recount()
	all.Domains = len(domains)
	all.In, all.Out = int(s.Counters.In.Load()), int(s.Counters.Out.Load())
	all.WaitingBytes, all.QueuedBytes = s.links.waiting.Load(), s.links.held.total.Load()
	all.ResumableIn = s.resumables.cut(now)
	return all
}

// count adds a link to the numbers, and reports whether it is connected.
func (l *link) count(all *Statistics, now time.Time) (connected bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	all.Waiting += len(l.waiting)
	if m := l.management; m != nil && m.id != "" && now.Before(m.until) {
		all.ResumableOut++
	}
	switch {
	case l.conn != nil:
		return true
	case l.state == connecting:
		all.Connecting++
	case l.failure.err != nil:
		all.Failing++
	}
	return false
}

// cut returns how many streams were cut and can be resumed.
func (rs *resumables) cut(now time.Time) (n int) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for _, r := range rs.all {
		if !r.until.IsZero() && now.Before(r.until) {
			n++
		}
	}
	return n
}
