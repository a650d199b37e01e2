package serverinfo

import (
	"time"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Times and limits of questions to other domains.
const (
	askEvery    = time.Hour
	goodFor     = 2 * time.Hour  // for which an answer counts
	maxAsked    = 50             // domains that are asked in one round
	maxKnown    = 10_000         // domains whose answers are kept
	forgetAfter = 24 * time.Hour // a domain is asked as long as it is connected; one that was not asked for this long is forgotten
)

// consent is what a domain has answered.
type consent struct {
	agreed bool
	at     time.Time // of the answer
	asked  time.Time
}

// consenting returns which of the other domains have agreed to be named (XEP-0485 §7), and asks those about which nothing is known, or not for
// some time. An answer counts in the next round.
func (i *Info) consenting(list []Connection, now time.Time) map[string]bool {
	agreed := map[string]bool{}
	var ask []jid.JID
	i.mu.Lock()
	for domain, c := range i.known {
		if now.Sub(c.asked) > forgetAfter {
			delete(i.known, domain)
		}
	}
	for _, c := range list {
		known := i.known[c.Theirs]
		if known.agreed && now.Sub(known.at) < goodFor {
			agreed[c.Theirs] = true
		}
		if c.Theirs == "" || now.Sub(known.asked) < askEvery || len(ask) >= maxAsked || len(i.known) >= maxKnown {
			continue
		}
		if to, err := jid.Parse(c.Theirs); err == nil {
			known.asked = now
			i.known[c.Theirs] = known
			ask = append(ask, to)
		}
	}
	i.mu.Unlock()
	for _, to := range ask {
		i.ask(to)
	}
	return agreed
}

// ask asks a domain whether it takes part (XEP-0485 §3). Nothing but its own answer counts.
func (i *Info) ask(to jid.JID) {
	i.host.Ask(i.host.Domain(), to, stanza.NewElement(disco.NSInfo, "query"), i.host.Router().Route, func(answer *stanza.Stanza, _ func(*stanza.Stanza)) {
		agreed := false
		if answer != nil && answer.Type == stanza.TypeResult {
			if query := answer.Child(disco.NSInfo, "query"); query != nil {
				for f := range query.Named(disco.NSInfo, "feature") {
					agreed = agreed || f.Attr("var") == NS
				}
			}
		}
		i.mu.Lock()
		defer i.mu.Unlock()
		known := i.known[to.String()]
		known.agreed, known.at = agreed, time.Now()
		i.known[to.String()] = known
	})
}
