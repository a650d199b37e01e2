package gateway

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/dragoman-im/dragoman/core/jid"
)

// maxLimits is how many users have a limit of their own; further users of one domain share one, since a server can make up as many users
// as it likes. With twice as many limits all further users share one.
const maxLimits = 10000

// Limiter limits how many stanzas a second each user may send.
type Limiter struct {
	perSecond int // below 0: no limit
	now       func() time.Time

	mu sync.Mutex
	by map[jid.JID]*rate.Limiter
}

// NewLimiter returns a limiter of perSecond stanzas a second for each user; a negative number is no limit.
func NewLimiter(perSecond int, now func() time.Time) *Limiter {
	return &Limiter{perSecond: perSecond, now: now, by: map[jid.JID]*rate.Limiter{}}
}

// Allow counts one stanza of a user and reports whether it is within the limit.
func (l *Limiter) Allow(who jid.JID) bool {
	if l.perSecond < 0 {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	limit := l.by[who]
	if limit == nil && len(l.by) >= maxLimits {
		who = who.Host()
		if limit = l.by[who]; limit == nil && len(l.by) >= 2*maxLimits {
			who = jid.JID{}
			limit = l.by[who]
		}
	}
	if limit == nil {
		limit = rate.NewLimiter(rate.Limit(l.perSecond), 20*l.perSecond)
		l.by[who] = limit
	}
	return limit.AllowN(l.now(), 1)
}

// Prune removes the limits of users who have sent nothing recently.
func (l *Limiter) Prune() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for who, limit := range l.by {
		if limit.TokensAt(l.now()) >= float64(limit.Burst()) {
			delete(l.by, who)
		}
	}
}
