package capabilities

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Limits of what is known of sessions of other servers.
const (
	maxRemotes   = 20   // of one contact of an account: the oldest is forgotten for a new one
	maxAsking    = 2000 // questions of the host that wait
	maxOfDomain  = 200  // of them, to sessions of one server, which may make up sessions and answer none
	maxAskedOnce = 2    // questions to one session that wait, however often it changes its hash
)

// Contacts reports whether an entity is a contact of an account, with a subscription in either direction, who is not blocked.
type Contacts func(ctx context.Context, a *router.Account, other jid.JID) (bool, error)

// Know makes the feature learn the capabilities of contacts on other hosts. Call it before the host is attached.
func (c *Capabilities) Know(contacts Contacts) { c.contacts = contacts }

// remotes are the sessions of an account's contacts on other hosts.
type remotes struct {
	mu   sync.Mutex
	list map[jid.JID][]*remote // by contact
}

// remote is a session of a contact.
type remote struct {
	of           *router.Account
	jid          jid.JID
	capabilities atomic.Pointer[disco.Capabilities] // nil: it has announced none, or has gone
	asked        atomic.Int64                       // questions to it that wait
}

func (r *remote) ask(c *Capabilities, query *stanza.Element, route func(*stanza.Stanza), answered router.Answered) bool {
	domain := r.jid.Domain()
	if !c.asking.begin(domain) {
		return false
	}
	r.asked.Add(1)
	done := func(answer *stanza.Stanza, route func(*stanza.Stanza)) {
		c.asking.end(domain)
		r.asked.Add(-1)
		answered(answer, route)
	}
	if c.host.Ask(r.of.JID(), r.jid, query, route, done) {
		return true
	}
	c.asking.end(domain)
	r.asked.Add(-1)
	return false
}

// asking counts the questions to sessions of other servers that wait.
type asking struct {
	mu  sync.Mutex
	all int
	by  map[string]int // domain
}

// begin counts one more; false if there are too many.
func (a *asking) begin(domain string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.all >= maxAsking || a.by[domain] >= maxOfDomain {
		return false
	}
	if a.by == nil {
		a.by = map[string]int{}
	}
	a.all++
	a.by[domain]++
	return true
}

// end counts one less.
func (a *asking) end(domain string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all--
	if a.by[domain]--; a.by[domain] == 0 {
		delete(a.by, domain)
	}
}

func (r *remote) announced() *disco.Capabilities { return r.capabilities.Load() }

func (r *remote) replace(was, now *disco.Capabilities) bool {
	return was != nil && r.capabilities.CompareAndSwap(was, now)
}

func (r *remote) change(before, now *disco.Capabilities, route func(*stanza.Stanza)) Change {
	return Change{Of: r.of, Address: r.jid, Before: before, Now: now, Route: route}
}

// find returns the session with an address, which is added if there is none.
func (l *remotes) find(of *router.Account, session jid.JID) *remote {
	l.mu.Lock()
	defer l.mu.Unlock()
	contact := session.Bare()
	list := l.list[contact]
	if i := slices.IndexFunc(list, func(r *remote) bool { return r.jid == session }); i >= 0 {
		return list[i]
	}
	if len(list) >= maxRemotes {
		list[0].capabilities.Store(nil)
		list = slices.Delete(list, 0, 1)
	}
	if l.list == nil {
		l.list = map[jid.JID][]*remote{}
	}
	r := &remote{of: of, jid: session}
	l.list[contact] = append(list, r)
	return r
}

// remove forgets a session, or all of a contact.
func (l *remotes) remove(who jid.JID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	contact := who.Bare()
	rest := slices.DeleteFunc(slices.Clone(l.list[contact]), func(r *remote) bool {
		gone := who.IsBare() || r.jid == who
		if gone {
			r.capabilities.Store(nil)
		}
		return gone
	})
	if l.list[contact] = rest; len(rest) == 0 {
		delete(l.list, contact)
	}
}

func (l *remotes) of(contact jid.JID) []*remote {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.list[contact])
}

// Remote calls visit for the known sessions of a contact of an account that is on another host.
func (c *Capabilities) Remote(a *router.Account, contact jid.JID, visit func(session jid.JID, wants *disco.Capabilities)) {
	l := c.remotes.Loaded(a)
	if l == nil {
		return
	}
	for _, r := range l.of(contact.Bare()) {
		if now := r.capabilities.Load(); now.WantsSome() {
			visit(r.jid, now)
		}
	}
}

// failed forgets a session that answers a notification with an error: it is not there any more.
func (c *Capabilities) failed(a *router.Account, from jid.JID) {
	if l := c.remotes.Loaded(a); l != nil {
		l.remove(from)
	}
}

// received reads the presence of sessions of other hosts, and errors, after which they are not there any more.
func (c *Capabilities) received(ctx context.Context, p *router.Pass) error {
	st := p.Stanza
	if st.Kind != stanza.Presence || st.From.Domain() == c.host.Domain().Domain() || c.contacts == nil {
		return nil
	}
	switch {
	case st.Type == stanza.TypeError, st.Type == stanza.TypeUnavailable:
		c.failed(p.Account, st.From)
	case st.Type == "" && st.To.IsBare() && st.From.IsFull():
		return c.remoteAvailable(ctx, p)
	}
	return nil
}

// remoteAvailable reads the capabilities of a session of a contact. Presence that is sent to one session, as rooms do, is not that of a
// contact.
func (c *Capabilities) remoteAvailable(ctx context.Context, p *router.Pass) error {
	hash, ok := disco.CapsHash{}, false
	if strings.Contains(p.Stanza.Payload, "caps") { // the names of both namespaces
		hash, ok = disco.FindCapsHash(p.Stanza.Tree())
	}
	l := c.remotes.Loaded(p.Account)
	if !ok {
		if l != nil {
			l.remove(p.Stanza.From)
		}
		return nil
	}
	known, err := c.contacts(ctx, p.Account, p.Stanza.From.Bare())
	if err != nil || !known {
		return err
	}
	if l, err = c.remotes.Get(ctx, p.Account); err != nil {
		return err
	}
	session := l.find(p.Account, p.Stanza.From)
	if session.asked.Load() >= maxAskedOnce { // its next presence is read again
		session.capabilities.Store(nil)
		return nil
	}
	before := session.capabilities.Load()
	e, ask := c.announce(hash, session, &session.capabilities)
	switch {
	case e.capabilities.Known():
		if e.capabilities != before {
			c.notify(ctx, session.change(before, e.capabilities, p.Route))
		}
	case ask:
		c.ask(ctx, e, session, p.Route)
	}
	return nil
}
