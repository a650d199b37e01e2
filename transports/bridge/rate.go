package bridge

import (
	"golang.org/x/time/rate"

	"github.com/dragoman-im/dragoman/core/jid"
)

// allowed spends one stanza of a user's rate.
func (g *Gateway) allowed(who jid.JID) bool {
	if g.set.Stanzas < 0 {
		return true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.rates[who]
	if l == nil {
		if len(g.rates) > 10000 { // strangers of many addresses share one
			who = g.domain
			if l = g.rates[who]; l != nil {
				return l.AllowN(g.now(), 1)
			}
		}
		l = rate.NewLimiter(rate.Limit(g.set.Stanzas), 20*g.set.Stanzas)
		g.rates[who] = l
	}
	return l.AllowN(g.now(), 1)
}

// forgetRates drops limiters that are full again.
func (g *Gateway) forgetRates() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for who, l := range g.rates {
		if l.TokensAt(g.now()) >= float64(l.Burst()) {
			delete(g.rates, who)
		}
	}
}
