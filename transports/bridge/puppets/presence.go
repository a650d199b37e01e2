package puppets

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

const maxResources = 20 // of one local user that are counted

// Presence carries presence both ways.
type Presence struct {
	env      *gateway.Env
	address  convert.Addresses
	contacts Contacts
	people   *Directory
	logins   *logins.Registry

	mu        sync.Mutex
	puppets   map[transports.UserID]transports.PresenceInfo // as the network said last
	resources map[jid.JID]map[string]bool                   // of local users that are available to us, by bare JID
}

// NewPresence makes what carries presence.
func NewPresence(env *gateway.Env, contacts Contacts, people *Directory, registry *logins.Registry) *Presence {
	return &Presence{
		env: env, address: convert.Addresses{Domain: env.Domain}, contacts: contacts, people: people, logins: registry,
		puppets: map[transports.UserID]transports.PresenceInfo{}, resources: map[jid.JID]map[string]bool{},
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
	return len(p.resources[who.Bare()]) > 0
}

// Users is how many local users are available.
func (p *Presence) Users() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.resources)
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
		p.env.Send(stanza.NewPresence(st.From.Bare(), st.To.Bare(), stanza.TypeUnsubscribed))
	case "", stanza.TypeUnavailable:
		p.fromUser(st)
	}
}

// share answers who wants to see a person's presence: people of the network are open to all whose
// logins see them.
func (p *Presence) share(l *logins.Login, user transports.UserID, st *stanza.Stanza) {
	to := st.From
	if st.Type == stanza.TypeSubscribe {
		to = st.From.Bare()
		p.env.Send(stanza.NewPresence(to, st.To.Bare(), stanza.TypeSubscribed))
	}
	p.Show(l, user, to)
}

// introduce is share for somebody whom the login has not seen yet: the network decides whether there is
// such a person for it. Presence that other users' logins know is not shown.
func (p *Presence) introduce(ctx context.Context, l *logins.Login, user transports.UserID, st *stanza.Stanza) {
	u, ok := p.people.Profile(ctx, l, user)
	switch {
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
	p.send(user, info, st.From.Bare())
}

// Show sends a person's presence to one address: what the network says or, where it says nothing
// of presence, available for as long as it can be reached.
func (p *Presence) Show(l *logins.Login, user transports.UserID, to jid.JID) {
	if !l.Online() {
		p.send(user, transports.PresenceInfo{Show: transports.Offline}, to)
		return
	}
	info, known := p.Of(user)
	switch {
	case !known && p.env.Info.Caps.Presence:
		info.Show = transports.Away
	case !known:
		info.Show = transports.Available
	}
	p.send(user, info, to)
}

func (p *Presence) send(user transports.UserID, info transports.PresenceInfo, to jid.JID) {
	from, err := p.address.Contact(user)
	if err != nil {
		return
	}
	nick := ""
	if u, ok := p.people.Cached(user); ok {
		nick = convert.DisplayName(u)
	}
	p.env.Send(convert.PuppetPresence(from, to, info, nick))
}

// fromUser notes that a local user is available or unavailable, and sets that presence on the network.
func (p *Presence) fromUser(st *stanza.Stanza) {
	if st.Type == stanza.TypeProbe || st.From.IsBare() {
		return
	}
	if len(p.logins.Of(st.From)) == 0 && !p.env.Settings.MayUse(st.From) {
		return // only users with a login are remembered, so that senders without one cost no memory
	}
	if p.setResource(st.From, st.Type == "") {
		p.env.Group.Go(func(ctx context.Context) { p.pass(ctx, st) })
	}
}

// setResource notes a resource of a local user, and reports whether it is the first or was the last.
func (p *Presence) setResource(who jid.JID, available bool) (turned bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	have := p.resources[who.Bare()]
	before := len(have)
	if !available {
		delete(have, who.Resource())
		if len(have) == 0 {
			delete(p.resources, who.Bare())
		}
		return before > 0 && len(have) == 0
	}
	if have == nil {
		have = map[string]bool{}
		p.resources[who.Bare()] = have
	}
	if before < maxResources {
		have[who.Resource()] = true
	}
	return before == 0
}

// pass sets the presence of a user on the network, for each of their logins.
func (p *Presence) pass(ctx context.Context, st *stanza.Stanza) {
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

// ToGateway takes presence for the gateway itself.
func (p *Presence) ToGateway(st *stanza.Stanza) {
	who, send := st.From.Bare(), p.env.Send
	switch st.Type {
	case stanza.TypeSubscribe:
		if len(p.logins.Of(who)) == 0 && !p.env.Settings.MayUse(who) {
			send(stanza.NewPresence(who, p.env.Domain, stanza.TypeUnsubscribed))
			return
		}
		send(stanza.NewPresence(who, p.env.Domain, stanza.TypeSubscribed))
		send(p.OfGateway(who, who))
	case stanza.TypeUnsubscribe:
		send(stanza.NewPresence(who, p.env.Domain, stanza.TypeUnsubscribed))
	case stanza.TypeProbe:
		send(p.OfGateway(who, st.From))
	case "":
		p.fromUser(st)
		send(p.OfGateway(who, st.From))
	case stanza.TypeUnavailable:
		p.fromUser(st)
		if st.From.IsFull() {
			send(stanza.NewPresence(st.From, p.env.Domain, stanza.TypeUnavailable)) // XEP-0100 §4.6
		}
	}
}

// OfGateway is the gateway's own presence for a user: available when all of their logins are online.
func (p *Presence) OfGateway(who, to jid.JID) *stanza.Stanza {
	list := p.logins.Of(who)
	if len(list) == 0 {
		return stanza.NewPresence(to, p.env.Domain, stanza.TypeUnavailable)
	}
	show := ""
	var lines []string
	for _, l := range list {
		state, status, cause := l.State()
		line := l.Name() + ": " + state.String()
		switch {
		case status != tables.StatusLinked:
			show = "xa"
			line = fmt.Sprintf("%s: link again (%s)", l.Name(), cause)
		case state != transports.Online && state != transports.Limited && show == "":
			show = "away"
		}
		lines = append(lines, line)
	}
	var content []*stanza.Element
	if show != "" {
		content = append(content, stanza.TextElement("", "show", show))
	}
	caps := convert.GatewayInfo(p.env.Info, p.env.Version).Caps(convert.CapsNode).Element()
	content = append(content, stanza.TextElement("", "status", strings.Join(lines, "; ")), caps)
	return stanza.NewPresence(to, p.env.Domain, "", content...)
}

// ShowState shows the owner the state of a login, and shows or hides its contacts.
func (p *Presence) ShowState(ctx context.Context, l *logins.Login) {
	if !p.Available(l.Owner) {
		return
	}
	p.env.Send(p.OfGateway(l.Owner, l.Owner))
	contacts, err := p.contacts.Contacts(ctx, l.ID)
	if err != nil {
		p.env.Log.Error("reading contacts", "login", l.ID, "error", err)
		return
	}
	for _, c := range contacts {
		p.Show(l, c.User, l.Owner)
	}
}
