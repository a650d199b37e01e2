package room

import (
	"context"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// maxInvites is how many JIDs one message may invite, and maxOpenInvites how many
// invitations are remembered so that they can be declined.
const (
	maxInvites     = 50
	maxOpenInvites = 500
)

// invitation is one mediated invitation (XEP-0045 §7.8.2).
type invitation struct {
	to, from jid.JID
	reason   string
	id       string          // of the message, so that an error shows which one it is about
	more     *stanza.Element // <continue/>
}

// toRoom handles a message to the room itself that is not of type groupchat.
func (r *Room) toRoom(ctx context.Context, s *occupants.Session, st *stanza.Stanza) error {
	x := st.Child(muc.NSUser, "x")
	switch {
	case x.Child(muc.NSUser, "invite") != nil:
		return r.invite(ctx, s, st, x)
	case x.Child(muc.NSUser, "decline") != nil:
		return r.decline(ctx, st, x.Child(muc.NSUser, "decline"))
	}
	if answer, ok := rules.FindApproval(st.Tree()); ok {
		return r.approve(ctx, st, answer)
	}
	if f := voiceForm(st); f != nil {
		return r.voice(ctx, s, f)
	}
	if s == nil {
		return stanza.NotAcceptable("You are not in the room.")
	}
	return stanza.BadRequest("Messages to a room are of type groupchat.") // XEP-0045 §17.2
}

// invite checks and sends invitations (XEP-0045 §7.8.2).
func (r *Room) invite(ctx context.Context, s *occupants.Session, st *stanza.Stanza, x *stanza.Element) error {
	if s == nil {
		return stanza.NotAcceptable("You are not in the room.")
	}
	if r.config.MembersOnly && !s.Occupant.Affiliation.AtLeast(rules.AffAdmin) &&
		!(r.config.MembersMayInvite && s.Occupant.Affiliation.AtLeast(rules.AffMember)) { // XEP-0045 §9.5
		return stanza.Forbidden("Only admins may invite to this room.")
	}
	wanted, err := r.invitations(s, st.ID, x)
	if err != nil {
		return err
	}
	var send []invitation
	var members []Action
	for _, i := range wanted {
		w := Action{Kind: ActionInvite, By: view(s.Occupant), Session: s.JID, JID: i.to, Reason: i.reason}
		done, err := r.askOwner(ctx, w)
		if err != nil {
			return err
		}
		if !done {
			continue
		}
		send = append(send, i)
		if r.config.MembersOnly && r.lists.Of(i.to.Bare()) == rules.AffNone { // XEP-0045 §9.5
			members = append(members, Action{Kind: ActionInvite, JID: i.to.Bare(), Affiliation: rules.AffMember})
		}
	}
	if err := r.saveLists(ctx, members); err != nil {
		return err
	}
	for _, w := range members {
		r.sendStep(r.lists.Apply(w.wanted()), w.JID)
		r.notify(ctx, Event{Kind: ConfigChange, JID: w.JID})
	}
	for _, i := range send {
		r.rememberInvite(i.to.Bare(), s.JID)
		r.sendInvitation(i)
	}
	return nil
}

// invitations reads the invitations of a message.
func (r *Room) invitations(s *occupants.Session, id string, x *stanza.Element) ([]invitation, error) {
	var list []invitation
	for e := range x.Named(muc.NSUser, "invite") {
		if len(list) == maxInvites {
			return nil, stanza.NotAcceptable("Too many people are invited at once.")
		}
		to, err := jid.Parse(e.Attr("to"))
		if err != nil {
			return nil, stanza.JIDMalformed("The address of who is invited is malformed.")
		}
		i := invitation{
			to: to, from: s.JID.Bare(), id: id, more: r.continued(e),
			reason: rules.Truncate(e.ChildText(muc.NSUser, "reason"), r.limits.Subject),
		}
		if !r.config.NonAnonymous() {
			i.from = s.Occupant.JID
		}
		list = append(list, i)
	}
	return list, nil
}

// continued returns the element of a chat that goes on in the room (XEP-0045 §7.9) with nothing but its thread: it is sent to all who
// are invited. It is nil where there is none.
func (r *Room) continued(invite *stanza.Element) *stanza.Element {
	given := invite.Child(muc.NSUser, "continue")
	if given == nil {
		return nil
	}
	return stanza.NewElement(muc.NSUser, "continue").With("thread", rules.Truncate(given.Attr("thread"), r.limits.Subject))
}

// Invite sends an invitation in the name of from, which may be the room itself.
func (r *Room) Invite(to, from jid.JID, reason string) {
	r.sendInvitation(invitation{to: to, from: from, reason: reason})
}

func (r *Room) sendInvitation(i invitation) {
	e := stanza.NewElement(muc.NSUser, "invite").With("from", i.from.String())
	if i.reason != "" {
		e.Add(stanza.TextElement(muc.NSUser, "reason", i.reason))
	}
	if i.more != nil {
		e.Add(i.more.Clone())
	}
	x := stanza.NewElement(muc.NSUser, "x").Add(e)
	if r.config.Password != "" {
		x.Add(stanza.TextElement(muc.NSUser, "password", r.config.Password))
	}
	m := stanza.NewMessage(i.to, r.jid, "", x)
	if i.id != "" {
		m.ID = i.id
	}
	r.send(m)
}

func (r *Room) rememberInvite(to, by jid.JID) {
	if r.invites == nil || len(r.invites) >= maxOpenInvites {
		r.invites = map[jid.JID]jid.JID{} // older invitations cannot be declined any more
	}
	r.invites[to] = by
}

// decline passes a refused invitation to the session that sent it (XEP-0045 §7.8.2). Only an invited
// JID may decline.
func (r *Room) decline(ctx context.Context, st *stanza.Stanza, e *stanza.Element) error {
	invited := st.From.Bare()
	by, ok := r.invites[invited]
	if !ok {
		return stanza.ItemNotFound("There is no such invitation.")
	}
	delete(r.invites, invited)
	reason := rules.Truncate(e.ChildText(muc.NSUser, "reason"), r.limits.Subject)
	if r.occupants.BySession(by) != nil {
		d := stanza.NewElement(muc.NSUser, "decline").With("from", invited.String())
		if reason != "" {
			d.Add(stanza.TextElement(muc.NSUser, "reason", reason))
		}
		r.send(stanza.NewMessage(by, r.jid, "", stanza.NewElement(muc.NSUser, "x").Add(d)))
	}
	r.notify(ctx, Event{Kind: Declined, JID: invited, Session: by, Reason: reason})
	return nil
}
