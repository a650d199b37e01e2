package privilege

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// presences are what domains were told of, so that each is told once although several accounts have the same contact
// (XEP-0356 §8 rule 2), and so that who attaches later is told of it (rule 1). Contacts are kept apart because not all domains
// may see them.
type presences struct {
	mu      sync.Mutex
	last    [Contacts + 1]map[jid.JID]*stanza.Stanza // by full JID
	crowded atomic.Uint64
}

func newPresences() *presences {
	s := &presences{}
	for i := range s.last {
		s.last[i] = map[jid.JID]*stanza.Stanza{}
	}
	return s
}

// note reports whether a presence says something new. What is not remembered because of the limit always does; unavailable presence of
// what was never available never does.
func (s *presences) note(kind Seen, st *stanza.Stanza, limit int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.last[kind]
	last := known[st.From]
	if st.Type == stanza.TypeUnavailable {
		delete(known, st.From)
		return last != nil || limit > 0 && len(known) >= limit
	}
	if last != nil && last.Payload == st.Payload && last.Extra == st.Extra {
		return false
	}
	if last == nil && limit > 0 && len(known) >= limit {
		s.crowded.Add(1)
		return true
	}
	kept := st.Copy()
	known[st.From] = kept
	return true
}

// others returns the presences that are not of a host's accounts.
func (s *presences) others(host jid.JID) []*stanza.Stanza {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []*stanza.Stanza
	for from, st := range s.last[Contacts] {
		if from.Domain() != host.Domain() {
			list = append(list, st)
		}
	}
	return list
}

// report sends a presence to the domains that may see it: kind Accounts is that of an account, which all of them may see.
func (p *Privileges) report(kind Seen, st *stanza.Stanza, route func(*stanza.Stanza)) {
	g, limit := p.granted.Load(), p.limits.Load().Presences
	for to := kind; to <= Contacts; to++ {
		if len(g.watch[to]) == 0 || !p.presences.note(to, st, limit) {
			continue
		}
		for _, domain := range g.watch[to] {
			if st.From.Domain() != domain.Domain() {
				route(st.WithTo(domain))
			}
		}
	}
}

// Available notifies domains of a session's initial presence (XEP-0356 §7.1). It is called after each one that a session broadcasts.
func (p *Privileges) Available(_ context.Context, pass *router.Pass) {
	if pass.Previous != nil || pass.Session.Presence() == nil {
		return
	}
	p.report(Accounts, pass.Stanza, pass.Route)
	if pass.Session.Presence() == nil { // it has ended meanwhile, and Unavailable was perhaps called before
		p.Unavailable(stanza.NewPresence(jid.JID{}, pass.Session.JID(), stanza.TypeUnavailable), pass.Route)
	}
}

// Unavailable notifies domains that a session is no longer available.
func (p *Privileges) Unavailable(st *stanza.Stanza, route func(*stanza.Stanza)) {
	p.report(Accounts, st, route)
}

// contactPresence is a stage that notifies domains of the presence of contacts (XEP-0356 §7.4).
func (p *Privileges) contactPresence(ctx context.Context, pass *router.Pass) error {
	st := pass.Stanza
	if st.Kind != stanza.Presence || st.Type != "" && st.Type != stanza.TypeUnavailable || p.subs == nil || len(p.granted.Load().watch[Contacts]) == 0 {
		return nil
	}
	contact := st.From.Bare()
	if contact == pass.Account.JID() {
		return nil
	}
	_, to, err := p.subs.Subscription(ctx, pass.Account, contact)
	if err != nil {
		return fmt.Errorf("look for the sender of a presence among the contacts of %s: %w", pass.Account.JID(), err)
	}
	if to {
		p.report(Contacts, st, pass.Route)
	}
	return nil
}

// sendPresences sends a domain that has just attached what it would know if it had been attached before (XEP-0356 §8 rule 1).
func (p *Privileges) sendPresences(domain jid.JID, may Seen, send func(*stanza.Stanza)) {
	if may == Nobody {
		return
	}
	p.host.Each(func(a *router.Account) bool {
		for _, s := range a.Sessions() {
			now := s.Presence()
			if now == nil {
				continue
			}
			send(now.Stanza.WithTo(domain))
			if s.Presence() == nil {
				send(stanza.NewPresence(domain, s.JID(), stanza.TypeUnavailable))
			}
		}
		return true
	})
	if may == Contacts {
		for _, st := range p.presences.others(p.host.Domain()) {
			send(st.WithTo(domain))
		}
	}
}
