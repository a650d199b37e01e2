package puppets

import (
	"context"
	"fmt"
	"strings"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

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
		p.showGateway(who)
	case stanza.TypeUnsubscribe:
		p.Hide(p.env.Domain, who)
		send(stanza.NewPresence(who, p.env.Domain, stanza.TypeUnsubscribed))
	case stanza.TypeProbe:
		if !p.takeAnswered(st.From) {
			p.showGateway(st.From)
		}
	case "":
		p.fromUser(st)
		if p.granted(who) && len(p.logins.Of(who)) == 0 {
			return // XEP-0356 §7: all users of the server, also those who have never heard of the gateway
		}
		if p.wantsAnswer(st.From) {
			p.showGateway(st.From)
		}
		p.answered(who)
	case stanza.TypeUnavailable:
		p.fromUser(st)
		if st.From.IsBare() {
			p.gone(st.From)
		} else if !p.granted(who) || len(p.logins.Of(who)) > 0 {
			p.Hide(p.env.Domain, st.From) // XEP-0100 §4.6
		}
	}
}

// ofGateway is the gateway's own presence for a user: available when all of their logins are online.
func (p *Presence) ofGateway(to jid.JID) *stanza.Stanza {
	from, list := convert.PresentAs(p.env.Domain, p.env.Info), p.logins.Of(to.Bare())
	if len(list) == 0 {
		return stanza.NewPresence(to, from, stanza.TypeUnavailable)
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
	content = append(content, stanza.TextElement("", "status", strings.Join(lines, "; ")))
	content = append(content, convert.GatewayInfo(p.env.Info, p.env.Version).Announcement(convert.CapsNode)...)
	return stanza.NewPresence(to, from, "", content...)
}

// showGateway sends a user the gateway's own presence.
func (p *Presence) showGateway(to jid.JID) {
	st := p.ofGateway(to)
	p.noteShown(to, st.Payload)
	p.env.Send(st)
}

// noteShown notes the gateway's presence as it was sent to a user. It reports whether all resources had been sent the same before.
func (p *Presence) noteShown(to jid.JID, payload string) (before bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	u := p.users[to.Bare()]
	switch {
	case u == nil:
		return false
	case to.IsBare():
		before = u.status == payload
		u.status = payload
	case u.status != payload:
		u.status = "" // the resources have been sent different ones
	}
	return before
}

// ShowState shows the owner the state of a login, and shows or hides its contacts where that has changed.
func (p *Presence) ShowState(ctx context.Context, l *logins.Login) {
	changed := p.onlineChanged(l)
	if p.Available(l.Owner) {
		p.showState(ctx, l, changed)
	}
}

func (p *Presence) showState(ctx context.Context, l *logins.Login, withContacts bool) {
	if st := p.ofGateway(l.Owner); !p.noteShown(l.Owner, st.Payload) {
		p.env.Send(st)
	}
	if !withContacts {
		return
	}
	contacts, err := p.contacts.Contacts(ctx, l.ID)
	if err != nil {
		p.env.Log.Error("reading contacts", "login", l.ID, "error", err)
		return
	}
	for _, c := range contacts {
		p.Show(l, c.User, l.Owner)
	}
}

// onlineChanged reports whether a login has come online or gone offline since its contacts were last shown.
func (p *Presence) onlineChanged(l *logins.Login) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	online := l.Online() // under the lock, so that the last caller has the newest state
	before, known := p.shown[l.ID]
	p.shown[l.ID] = online
	return !known || before != online
}

// Forget forgets a login that was removed.
func (p *Presence) Forget(l *logins.Login) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.shown, l.ID)
}
