package c2s

import (
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// recipientsFor is the interval over which the receivers of a session are counted.
const recipientsFor = time.Minute

// recipients are the receivers that a session has written to recently.
type recipients struct {
	since time.Time
	seen  map[jid.JID]struct{}
	last  jid.JID
}

// allow counts a receiver; false if the limit is exceeded.
func (r *recipients) allow(to jid.JID, limit int, now func() time.Time) bool {
	if to == r.last {
		return true
	}
	if _, ok := r.seen[to]; !ok {
		at := now()
		if r.seen == nil || at.Sub(r.since) >= recipientsFor {
			r.since, r.seen = at, map[jid.JID]struct{}{}
		}
		if len(r.seen) >= limit {
			return false
		}
		r.seen[to] = struct{}{}
	}
	r.last = to
	return true
}

// reaches reports whether a client may write to one more address (RFC 6120 §13.12 rule 5). Its own account,
// its server, and answers to requests do not count.
func (c *conn) reaches(st *stanza.Stanza) bool {
	limit := c.server.limits().Recipients
	to := st.To.Bare()
	switch {
	case limit <= 0, to.IsZero(), to == c.who, to == c.host.Router.Domain():
		return true
	case st.Kind == stanza.IQ && !st.IsRequest():
		return true
	}
	if c.recipients.allow(to, limit, time.Now) {
		return true
	}
	c.server.Counters.Recipients.Add(1)
	c.refuse(st, stanza.PolicyViolation("you write to too many addresses at once"))
	return false
}
