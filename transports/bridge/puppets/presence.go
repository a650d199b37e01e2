package puppets

import (
	"context"
	"sync"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
)

// Presence carries presence both ways.
type Presence struct {
	env      *gateway.Env
	address  convert.Addresses
	contacts Contacts
	people   *Directory
	logins   *logins.Registry
	refuse   func(ctx context.Context, subscribe *stanza.Stanza) // refuses a subscription
	granted  func(user jid.JID) bool                             // whether the user's server sends their presence without a subscription

	mu      sync.Mutex
	puppets map[transports.UserID]transports.PresenceInfo // as the network said last
	users   map[jid.JID]*localUser                        // local users who are available to the gateway, by bare JID
	probed  map[jid.JID]bool                              // users who were asked and have not answered
	shown   map[transports.LoginID]bool                   // whether the contacts of a login were last shown as those of one that is online
}

// localUser is a user who is available to the gateway.
type localUser struct {
	resources map[string]answer // what each was sent
	status    string            // the gateway's presence as it was last sent to all resources
}

// answer is what a resource that has become available was sent of the gateway's own presence.
type answer uint8

const (
	unanswered answer = iota
	answered          // it was sent that presence; the probe by its server is still to come
	probed
)

// NewPresence makes the Presence of a gateway.
func NewPresence(env *gateway.Env, contacts Contacts, people *Directory, registry *logins.Registry) *Presence {
	return &Presence{
		env: env, address: convert.Addresses{Domain: env.Domain}, contacts: contacts, people: people, logins: registry,
		puppets: map[transports.UserID]transports.PresenceInfo{}, users: map[jid.JID]*localUser{},
		probed: map[jid.JID]bool{}, shown: map[transports.LoginID]bool{},
		granted: func(jid.JID) bool { return false },
	}
}

// Of is what the network said last of somebody.
func (p *Presence) Of(id transports.UserID) (transports.PresenceInfo, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i, ok := p.puppets[id]
	return i, ok
}

// Available reports whether a local user is available to the gateway.
func (p *Presence) Available(who jid.JID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.users[who.Bare()] != nil
}

// Users is how many local users are available.
func (p *Presence) Users() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.users)
}

// Changed takes the presence of a puppet from the network, and shows it to the owner who has it as a contact.
func (p *Presence) Changed(l *logins.Login, info transports.PresenceInfo) {
	if info.User == "" || len(info.User) > convert.MaxID || !p.set(info) || !p.Available(l.Owner) {
		return
	}
	p.env.Group.Go(func(ctx context.Context) {
		if ok, err := p.contacts.HasContact(ctx, l.ID, info.User); ok && err == nil {
			p.Show(l, info.User, l.Owner)
		}
	})
}

// set keeps a presence and reports whether it is another one than before.
func (p *Presence) set(i transports.PresenceInfo) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.puppets) >= maxPeople {
		clear(p.puppets)
	}
	changed := p.puppets[i.User] != i
	p.puppets[i.User] = i
	return changed
}

// ToContact takes subscriptions, probes and directed presence for a person.
func (p *Presence) ToContact(l *logins.Login, user transports.UserID, st *stanza.Stanza) {
	switch st.Type {
	case stanza.TypeSubscribe, stanza.TypeProbe:
		if l.Online() && !p.people.Sees(p.env.Group.Context(), l, user) {
			p.env.Group.Go(func(ctx context.Context) { p.introduce(ctx, l, user, st) })
			return
		}
		p.share(l, user, st)
	case stanza.TypeUnsubscribe:
		p.Hide(st.To.Bare(), st.From.Bare())
		p.env.Send(stanza.NewPresence(st.From.Bare(), st.To.Bare(), stanza.TypeUnsubscribed))
	case "", stanza.TypeUnavailable:
		p.fromUser(st)
	}
}

// share answers who wants to see a person's presence: people of the network are open to all whose
// logins see them.
func (p *Presence) share(l *logins.Login, user transports.UserID, st *stanza.Stanza) {
	if st.Type == stanza.TypeSubscribe {
		p.env.Send(stanza.NewPresence(st.From.Bare(), st.To.Bare(), stanza.TypeSubscribed))
	}
	p.Show(l, user, asker(st))
}

// introduce is share for somebody whom the login has not seen yet: the network decides whether there is
// such a person for it. Presence that other users' logins know is not shown.
func (p *Presence) introduce(ctx context.Context, l *logins.Login, user transports.UserID, st *stanza.Stanza) {
	u, ok := p.people.Profile(ctx, l, user)
	switch {
	case !ok && st.Type == stanza.TypeSubscribe:
		p.refuse(ctx, st)
		return
	case !ok:
		p.env.Send(stanza.NewPresence(st.From.Bare(), st.To.Bare(), stanza.TypeUnsubscribed))
		return
	case st.Type == stanza.TypeSubscribe:
		p.env.Send(stanza.NewPresence(st.From.Bare(), st.To.Bare(), stanza.TypeSubscribed))
	}
	p.people.Put(u)
	info := transports.PresenceInfo{Show: transports.Available}
	if p.env.Info.Caps.Presence {
		info.Show = transports.Away
	}
	p.send(l, user, info, asker(st))
}

// asker is whom the answer to a subscription request or a probe is for: a subscription is the account's, a probe that of the
// address it comes from.
func asker(st *stanza.Stanza) jid.JID {
	if st.Type == stanza.TypeSubscribe {
		return st.From.Bare()
	}
	return st.From
}

// Show sends a person's presence to one address: what the network says or, where it says nothing
// of presence, available for as long as it can be reached.
func (p *Presence) Show(l *logins.Login, user transports.UserID, to jid.JID) {
	if !l.Online() {
		p.send(l, user, transports.PresenceInfo{Show: transports.Offline}, to)
		return
	}
	info, known := p.Of(user)
	switch {
	case !known && p.env.Info.Caps.Presence:
		info.Show = transports.Away
	case !known:
		info.Show = transports.Available
	}
	p.send(l, user, info, to)
}

func (p *Presence) send(l *logins.Login, user transports.UserID, info transports.PresenceInfo, to jid.JID) {
	from, err := p.address.Contact(user)
	if err != nil {
		return
	}
	var more []*stanza.Element
	if u, ok := p.people.Known(p.env.Group.Context(), user); ok && info.Show != transports.Offline {
		more = append(more, convert.Nick(convert.DisplayName(u)))
		if hash, known := p.people.Photos.Hash(l, u, func() { p.Show(l, user, to) }); known {
			more = append(more, convert.PhotoUpdate(hash))
		}
	}
	p.env.Send(convert.PuppetPresence(convert.PresentAs(from, p.env.Info), to, info, more...))
}

// Hide sends the unavailable presence of a contact or of the gateway, whose bare JID is from, before a subscription to it ends (RFC 6121 §3.2.2).
func (p *Presence) Hide(from, to jid.JID) {
	p.env.Send(stanza.NewPresence(to, convert.PresentAs(from, p.env.Info), stanza.TypeUnavailable))
}
