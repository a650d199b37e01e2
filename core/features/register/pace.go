package register

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/dragoman-im/dragoman/core/jid"
)

// Limits on changing passwords: the keys of one cost us ten milliseconds or so.
const (
	changesAtOnce = 5
	changeEvery   = 10 * time.Second // beyond that
	maxChanging   = 10_000           // accounts that are remembered for that
)

// pace lets an account change its password a few times, then once in a while.
type pace struct {
	mu sync.Mutex
	of map[jid.JID]*rate.Limiter
}

func newPace() *pace { return &pace{of: map[jid.JID]*rate.Limiter{}} }

func (p *pace) allow(account jid.JID, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.of[account]
	if l == nil {
		if len(p.of) >= maxChanging {
			p.forget(now)
		}
		if len(p.of) >= maxChanging {
			return false
		}
		l = rate.NewLimiter(rate.Every(changeEvery), changesAtOnce)
		p.of[account] = l
	}
	return l.AllowN(now, 1)
}

// forget drops the accounts that have changed nothing of late. The lock is held.
func (p *pace) forget(now time.Time) {
	for account, l := range p.of {
		if l.TokensAt(now) >= changesAtOnce {
			delete(p.of, account)
		}
	}
}
