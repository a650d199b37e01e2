package puppets

import (
	"context"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
)

const (
	maxResources = 20      // of one local user that are counted
	maxUsers     = 100_000 // local users who are available, and remembered
)

// fromUser notes that a local user is available or unavailable, and sets that presence on the network.
func (p *Presence) fromUser(st *stanza.Stanza) {
	if st.Type == stanza.TypeProbe || st.From.IsBare() {
		return
	}
	if len(p.logins.Of(st.From)) == 0 && !p.env.Settings.MayUse(st.From) {
		return // only users with a login are remembered, so that senders without one cost no memory
	}
	if p.setResource(st.From, st.Type == "") {
		p.env.Group.Go(func(ctx context.Context) { p.setOnNetwork(ctx, st) })
	}
}

// setResource notes a resource of a local user, and reports whether the user has become available or unavailable by it.
func (p *Presence) setResource(who jid.JID, available bool) (changed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	u := p.users[who.Bare()]
	if !available {
		if u == nil {
			return false
		}
		delete(u.resources, who.Resource())
		if len(u.resources) > 0 {
			return false
		}
		delete(p.users, who.Bare())
		return true
	}
	if u == nil {
		if len(p.users) >= maxUsers {
			return false
		}
		u = &localUser{resources: map[string]answer{}}
		p.users[who.Bare()] = u
	}
	before := len(u.resources)
	if _, known := u.resources[who.Resource()]; !known && before < maxResources {
		u.resources[who.Resource()] = unanswered
	}
	return before == 0
}

// setOnNetwork sets the presence of a user on the network, for each of their logins.
func (p *Presence) setOnNetwork(ctx context.Context, st *stanza.Stanza) {
	if !p.env.Info.Caps.Presence {
		return
	}
	info := convert.UserPresence(st)
	for _, l := range p.logins.Of(st.From) {
		client, ok := l.Client().(transports.Presencer)
		if !ok {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, gateway.LookupTimeout)
		info.User = l.User
		if err := client.SetPresence(ctx, info); err != nil {
			p.env.Log.Debug("setting presence", "login", l.ID, "error", err)
		}
		cancel()
	}
}

// wantsAnswer reports whether an available resource is still to be sent the gateway's presence, and notes it as sent. An
// update, such as away, needs no answer.
func (p *Presence) wantsAnswer(who jid.JID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	u := p.users[who.Bare()]
	if u == nil {
		return true
	}
	state, known := u.resources[who.Resource()]
	if known && state == unanswered {
		u.resources[who.Resource()] = answered
	}
	return state == unanswered
}

// takeAnswered reports whether a probe needs no answer, because its server sent the resource's presence first, which was answered;
// once for each resource. A probe from the bare JID is sent for a resource that it does not name (RFC 6121 §4.3).
func (p *Presence) takeAnswered(prober jid.JID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	u := p.users[prober.Bare()]
	if u == nil {
		return false
	}
	for resource, state := range u.resources {
		if state == answered && (prober.IsBare() || prober.Resource() == resource) {
			u.resources[resource] = probed
			return true
		}
	}
	return false
}
