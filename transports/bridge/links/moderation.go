package links

import (
	"context"
	"slices"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/outbox"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// moderated reads the announcement of a room that a moderator has removed a message (XEP-0425 §4; with apply-to also as version 0.2 had it):
// by which id the room knows the message, and the nickname of the moderator, "" where it is not named.
func moderated(st *stanza.Stanza) (id, by string) {
	x := st.Child(convert.NSRetract, "retract")
	by1 := x.Child(convert.NSModerate, "moderated")
	if by1 == nil {
		x = st.Child(convert.NSFasten, "apply-to")
		by1 = x.Child(convert.NSModerateOld, "moderated")
	}
	if by1 == nil {
		return "", ""
	}
	if j, err := jid.Parse(by1.Attr("by")); err == nil && j.Bare() == st.From.Bare() {
		by = j.Resource()
	}
	return x.Attr("id"), by
}

// actor is the nickname of who has caused a message of the room: its sender, or the moderator whose action it announces.
func actor(st *stanza.Stanza) string {
	if nick := st.From.Resource(); nick != "" {
		return nick
	}
	_, by := moderated(st)
	return by
}

// moderation is what the channel has to do where a moderator of the linked room has removed a message, of whomever it is; nil where the
// room says something else, or announces what this link has asked for.
func (l *link) moderation(ctx context.Context, r received) (*outbox.Linked, error) {
	id, by := moderated(r.st)
	if id == "" || slices.Contains(l.out.moderated, id) {
		return nil, nil
	}
	t := translation{link: l, author: r.author}
	target, ok, err := t.there(ctx, id)
	if err != nil || !ok {
		return nil, err
	}
	from := origin{l.row.Address.String(), "moderated " + id}
	entry := from.in(l.channelAddress())
	if !l.links.claims.take(entry, l.id) {
		return nil, nil
	}
	if had, err := l.had(ctx, entry); err != nil || had {
		return nil, err
	}
	name := by
	if name == "" {
		name = "A moderator"
	}
	occupant := l.occupantOf("/" + by)
	at, err := l.channelAddress().WithResource(name)
	if err != nil {
		at = l.channelAddress()
	}
	content := convert.Moderation(target.Entry, convert.Moderator{Address: at.String(), Occupant: occupant, Name: name})
	content = append(content, passedElement(l.row.Address), l.links.element(from))
	return &outbox.Linked{
		Login: l.login(), Sender: l.substitute(occupant), Moderated: true, Author: occupants.Puppet{Nick: by},
		Stanza: &stanza.Stanza{Kind: stanza.Message, Type: stanza.TypeGroupchat, ID: entry, Payload: stanza.Encode(content...)},
		Message: tables.LinkMessage{
			Link: l.id, Entry: entry, Message: entry, There: r.st.ID, ThereID: r.id, Author: r.author, Nick: by, At: r.at,
		},
	}, nil
}

// moderate has the room retract a message for all, where the gateway is a moderator (XEP-0425 §3); what a puppet has written it retracts itself.
func (l *link) moderate(s *sending, m tables.LinkMessage) {
	s.state = confirmed
	if p := l.persons.nicks[m.Nick]; m.Author == "" && p != nil && p.state == inside {
		content := append(convert.Retraction(reference(m)), passedElement(l.channelAddress()), l.links.element(s.origin))
		retract := stanza.NewMessage(l.row.Address, p.jid, stanza.TypeGroupchat, content...)
		retract.ID = s.id
		s.state, s.at = sent, l.links.env.Now()
		l.send(retract)
		return
	}
	if l.room.role != "moderator" || m.ThereID == "" || slices.Contains(l.out.moderated, m.ThereID) {
		return
	}
	if l.out.moderated = append(l.out.moderated, m.ThereID); len(l.out.moderated) > maxRecent {
		l.out.moderated = slices.Clone(l.out.moderated[maxRecent/2:])
	}
	l.ask(l.row.Address, stanza.TypeSet, l.moderationRequest(m.ThereID), func(_ context.Context, answer *stanza.Stanza) {
		if answer == nil || answer.Type == stanza.TypeError {
			l.links.env.Log.Info("a message cannot be retracted in a linked room", "room", l.row.Address.String())
		}
	})
}

// moderationRequest is the request as the room understands it: some know version 0.2 of XEP-0425 only.
func (l *link) moderationRequest(id string) *stanza.Element {
	if l.room.oldModeration {
		return stanza.NewElement(convert.NSFasten, "apply-to").With("id", id).Add(
			stanza.NewElement(convert.NSModerateOld, "moderate").Add(stanza.NewElement("urn:xmpp:message-retract:0", "retract")))
	}
	return stanza.NewElement(convert.NSModerate, "moderate").With("id", id).Add(stanza.NewElement(convert.NSRetract, "retract"))
}
