package bridge

import (
	"context"
	"fmt"
	"strings"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// showOf is a network's presence as XMPP says it; "" is available.
func showOf(s transports.Show) string {
	switch s {
	case transports.Away:
		return "away"
	case transports.Busy:
		return "dnd"
	}
	return ""
}

// presenceToContact takes subscriptions, probes and directed presence for a person.
func (g *Gateway) presenceToContact(a *account, user transports.UserID, st *stanza.Stanza) {
	contact := st.To.Bare()
	switch st.Type {
	case stanza.TypeSubscribe, stanza.TypeProbe:
		if a.online() && !g.sees(g.ctx, a, user) {
			g.spawn(func(ctx context.Context) { g.meet(ctx, a, user, st) })
			return
		}
		g.shareContact(a, user, st)
	case stanza.TypeUnsubscribe:
		g.send(stanza.NewPresence(st.From.Bare(), contact, stanza.TypeUnsubscribed))
	case "", stanza.TypeUnavailable:
		g.userPresence(st)
	}
}

// shareContact answers who wants to see a person's presence: people of the network are open
// to all whose accounts see them.
func (g *Gateway) shareContact(a *account, user transports.UserID, st *stanza.Stanza) {
	to := st.From
	if st.Type == stanza.TypeSubscribe {
		to = st.From.Bare()
		g.send(stanza.NewPresence(to, st.To.Bare(), stanza.TypeSubscribed))
	}
	g.showContact(a, user, to)
}

// meet is shareContact for somebody whom the account has had nothing to do with yet: the network decides
// whether there is such a person for it. What presence others' accounts know of is not told.
func (g *Gateway) meet(ctx context.Context, a *account, user transports.UserID, st *stanza.Stanza) {
	u, ok := g.profile(ctx, a, user)
	switch {
	case !ok:
		g.send(stanza.NewPresence(st.From.Bare(), st.To.Bare(), stanza.TypeUnsubscribed))
		return
	case st.Type == stanza.TypeSubscribe:
		g.send(stanza.NewPresence(st.From.Bare(), st.To.Bare(), stanza.TypeSubscribed))
	}
	g.people.put(u)
	p := transports.PresenceInfo{Show: transports.Available}
	if g.info.Caps.Presence {
		p.Show = transports.Away
	}
	g.send(g.presenceOf(user, p, st.From.Bare()))
}

// userPresence notes that a local user is here or gone.
func (g *Gateway) userPresence(st *stanza.Stanza) {
	if st.Type == stanza.TypeProbe || st.From.IsBare() {
		return
	}
	if len(g.accountsOf(st.From)) == 0 && !g.set.mayUse(st.From) {
		return // of strangers there are any number
	}
	turned := g.presences.session(st.From, st.Type == "")
	if turned {
		g.spawn(func(ctx context.Context) { g.passPresence(ctx, st) })
	}
}

// passPresence tells the network how available a user is.
func (g *Gateway) passPresence(ctx context.Context, st *stanza.Stanza) {
	if !g.info.Caps.Presence {
		return
	}
	p := transports.PresenceInfo{Show: transports.Available, Status: cutBytes(st.Tree().ChildText("", "status"), maxName)}
	switch {
	case st.Type == stanza.TypeUnavailable:
		p = transports.PresenceInfo{Show: transports.Away}
	case st.Tree().ChildText("", "show") == "dnd":
		p.Show = transports.Busy
	case st.Tree().ChildText("", "show") != "" && st.Tree().ChildText("", "show") != "chat":
		p.Show = transports.Away
	}
	for _, a := range g.accountsOf(st.From) {
		if s, ok := a.ready().(transports.Presencer); ok {
			ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
			p.User = a.user
			if err := s.SetPresence(ctx, p); err != nil {
				g.log.Debug("setting presence", "account", a.id, "error", err)
			}
			cancel()
		}
	}
}

// showContact tells a person's presence to one address.
func (g *Gateway) showContact(a *account, user transports.UserID, to jid.JID) {
	if st := g.contactPresence(a, user, to); st != nil {
		g.send(st)
	}
}

// contactPresence is a person's presence: what the network says, or, where it says
// nothing of presence, available for as long as it can be reached.
func (g *Gateway) contactPresence(a *account, user transports.UserID, to jid.JID) *stanza.Stanza {
	from, err := g.contactJID(user)
	if err != nil {
		return nil
	}
	if !a.online() {
		return stanza.NewPresence(to, from, stanza.TypeUnavailable)
	}
	p, known := g.presences.get(user)
	switch {
	case !known && g.info.Caps.Presence:
		p.Show = transports.Away
	case !known:
		p.Show = transports.Available
	}
	return g.presenceOf(user, p, to)
}

// presenceOf is a person's presence as a stanza, nil where the person has no address.
func (g *Gateway) presenceOf(user transports.UserID, p transports.PresenceInfo, to jid.JID) *stanza.Stanza {
	from, err := g.contactJID(user)
	if err != nil {
		return nil
	}
	if p.Show == transports.Offline {
		return stanza.NewPresence(to, from, stanza.TypeUnavailable)
	}
	var content []*stanza.Element
	if show := showOf(p.Show); show != "" {
		content = append(content, stanza.TextElement("", "show", show))
	}
	if p.Status != "" {
		content = append(content, stanza.TextElement("", "status", cutBytes(p.Status, maxName)))
	}
	if u, ok := g.people.get(user); ok {
		content = append(content, stanza.TextElement(nsNick, "nick", displayName(u)))
	}
	return stanza.NewPresence(to, from, "", content...)
}

// presenceChanged tells the owners who have the person as contact.
func (g *Gateway) presenceChanged(a *account, p transports.PresenceInfo) {
	if !g.presences.set(p) || !g.isAvailable(a.owner) {
		return
	}
	g.spawn(func(ctx context.Context) {
		if ok, err := g.store.HasContact(ctx, a.id, p.User); ok && err == nil {
			g.showContact(a, p.User, a.owner)
		}
	})
}

// presenceToGateway takes presence for the gateway itself.
func (g *Gateway) presenceToGateway(st *stanza.Stanza) {
	who := st.From.Bare()
	switch st.Type {
	case stanza.TypeSubscribe:
		if len(g.accountsOf(who)) == 0 && !g.set.mayUse(who) {
			g.send(stanza.NewPresence(who, g.domain, stanza.TypeUnsubscribed))
			return
		}
		g.send(stanza.NewPresence(who, g.domain, stanza.TypeSubscribed))
		g.send(g.ownPresence(who, who))
	case stanza.TypeUnsubscribe:
		g.send(stanza.NewPresence(who, g.domain, stanza.TypeUnsubscribed))
	case stanza.TypeProbe:
		g.send(g.ownPresence(who, st.From))
	case "":
		g.userPresence(st)
		g.send(g.ownPresence(who, st.From))
	case stanza.TypeUnavailable:
		g.userPresence(st)
		if st.From.IsFull() {
			g.send(stanza.NewPresence(st.From, g.domain, stanza.TypeUnavailable)) // XEP-0100 §4.6
		}
	}
}

// ownPresence shows how a user's accounts fare: available when all is well.
func (g *Gateway) ownPresence(who, to jid.JID) *stanza.Stanza {
	accounts := g.accountsOf(who)
	if len(accounts) == 0 {
		return stanza.NewPresence(to, g.domain, stanza.TypeUnavailable)
	}
	show := ""
	var lines []string
	for _, a := range accounts {
		state, status, cause := a.standing()
		line := a.name() + ": " + state.String()
		switch {
		case status != tables.StatusLinked:
			show = "xa"
			line = fmt.Sprintf("%s: link again (%s)", a.name(), cause)
		case state != transports.Online && state != transports.Limited:
			if show == "" {
				show = "away"
			}
		}
		lines = append(lines, line)
	}
	var content []*stanza.Element
	if show != "" {
		content = append(content, stanza.TextElement("", "show", show))
	}
	content = append(content, stanza.TextElement("", "status", strings.Join(lines, "; ")), g.capsElement())
	return stanza.NewPresence(to, g.domain, "", content...)
}

// showState tells the owner how the gateway fares for them, and shows or hides the contacts.
func (g *Gateway) showState(a *account) {
	if !g.isAvailable(a.owner) {
		return
	}
	g.send(g.ownPresence(a.owner, a.owner))
	contacts, err := g.store.Contacts(g.ctx, a.id)
	if err != nil {
		return
	}
	for _, c := range contacts {
		g.showContact(a, c.User, a.owner)
	}
}
