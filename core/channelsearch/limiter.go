package channelsearch

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/dragoman-im/dragoman/core/jid"
)

// busyWait is how long a searcher has to wait while too many others search.
const busyWait = time.Second

// maxRemembered is how many addresses have a limit of their own; all further ones share one.
const maxRemembered = 10_000

// limiter limits the searches of each address.
type limiter struct {
	mu     sync.Mutex
	by     map[jid.JID]*rate.Limiter
	pruned time.Time
}

// wait counts a search; it returns how long the searcher must wait, or 0 if it may search now.
func (l *limiter) wait(who jid.JID, perMinute int) time.Duration {
	if perMinute <= 0 {
		return 0
	}
	every := time.Minute / time.Duration(perMinute)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.by == nil {
		l.by = map[jid.JID]*rate.Limiter{}
	}
	if now := time.Now(); len(l.by) > maxRemembered && now.Sub(l.pruned) > time.Minute {
		l.pruned = now
		l.prune()
	}
	r := l.by[who]
	if r == nil && len(l.by) > maxRemembered {
		who = jid.JID{}
		r = l.by[who]
	}
	if r == nil {
		r = rate.NewLimiter(rate.Every(every), perMinute)
		l.by[who] = r
	}
	if r.Limit() != rate.Every(every) { // the setting has changed
		r.SetLimit(rate.Every(every))
		r.SetBurst(perMinute)
	}
	if r.Allow() {
		return 0
	}
	return every
}

// prune forgets addresses that may search as often as new ones.
func (l *limiter) prune() {
	for who, r := range l.by {
		if r.Tokens() >= float64(r.Burst()) {
			delete(l.by, who)
		}
	}
}
