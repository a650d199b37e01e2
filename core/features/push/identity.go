package push

import (
	"context"
	"sync"

	"github.com/dragoman-im/dragoman/core/notification"
	"github.com/dragoman-im/dragoman/core/router"
)

// maxUnknown is how many sessions are remembered that have enabled a service before it was known what they are.
const maxUnknown = 1000

// unknown are the services that sessions have enabled of which it is not known what they are. The lock is a leaf.
type unknown struct {
	mu sync.Mutex
	of map[*router.Bound]Registration // the last one of each
}

func (u *unknown) add(session *router.Bound, r Registration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.of == nil || len(u.of) >= maxUnknown {
		u.of = map[*router.Bound]Registration{}
	}
	u.of[session] = r
}

func (u *unknown) take(session *router.Bound) (r Registration, ok bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	r, ok = u.of[session]
	delete(u.of, session)
	return r, ok
}

// identityOf returns what a session is by its capabilities (XEP-0115), "" if that is not known.
func identityOf(session *router.Bound) string {
	if session == nil {
		return ""
	}
	presence := session.Presence()
	if presence == nil {
		return ""
	}
	of := presence.Capabilities.Load().Identity()
	return notification.Identity{Category: of.Category, Type: of.Type}.String()
}

// learn remembers a service until it is known what the session is that has enabled it. That may have become known meanwhile.
func (p *Push) learn(ctx context.Context, session *router.Bound, r Registration) {
	p.unknown.add(session, r)
	if identityOf(session) != "" {
		p.Identified(ctx, session)
	}
}

// Identified is called when the capabilities of a session have become known, or have changed.
func (p *Push) Identified(ctx context.Context, session *router.Bound) {
	r, ok := p.unknown.take(session)
	if !ok {
		return
	}
	if r.Identity = identityOf(session); r.Identity == "" {
		return
	}
	a := session.Account()
	if err := p.store.SetIdentity(ctx, a.JID(), r); err != nil {
		p.Log.Warn("what a client with a push service is was not stored", "account", a.JID(), "err", err)
		return
	}
	p.accounts.Invalidate(a)
}
