package room

import (
	"context"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/room/hats"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

func (r *Room) handleMessage(ctx context.Context, st *stanza.Stanza) error {
	s := r.occupants.BySession(st.From)
	if r.config.Locked {
		// XEP-0045 §17.2 would refuse its owner's messages to all and invitations too.
		if s == nil || s.Occupant.Affiliation != rules.AffOwner || st.Type != stanza.TypeGroupchat && st.To.IsFull() {
			return stanza.ItemNotFound("This room is not open yet: its owner has to configure it.") // XEP-0045 §17.2
		}
		if err := r.acceptDefaults(ctx, st.From); err != nil {
			return err
		}
	}
	switch {
	case st.Type == stanza.TypeGroupchat && st.To.IsFull():
		return stanza.BadRequest("A private message cannot be of type groupchat.") // XEP-0045 §7.5
	case st.Type == stanza.TypeGroupchat:
		return r.groupchat(ctx, s, st)
	case st.To.IsFull():
		return r.private(ctx, s, st)
	}
	return r.toRoom(ctx, s, st)
}

// groupchat handles a message to all occupants (XEP-0045 §7.4).
func (r *Room) groupchat(ctx context.Context, s *occupants.Session, st *stanza.Stanza) error {
	if s == nil {
		return stanza.NotAcceptable("You are not in the room.")
	}
	if !s.Occupant.Role.AtLeast(rules.RoleParticipant) {
		return stanza.Forbidden("You have no voice in this room.") // XEP-0045 §7.4, §17.2
	}
	m := Message{From: view(s.Occupant), Session: s.JID, Stanza: r.clean(st)}
	if subject, ok := subjectOf(st); ok {
		if s.Occupant.Role != rules.RoleModerator && !r.config.OccupantsMaySubject {
			return stanza.Forbidden("Only moderators may change the subject.") // XEP-0045 §8.1
		}
		if len(subject) > r.limits.Subject {
			return stanza.TooLong("subject", subject, r.limits.Subject)
		}
		m.Subject = &subject
	}
	wait := r.slowMode(s.Occupant, st)
	if wait > 0 && !r.visits.MaySpeak(s.Occupant.ID, r.now(), wait) {
		return r.tooSoon()
	}
	err := r.owner.Message(ctx, r, m)
	if err == nil && wait > 0 {
		r.visits.Spoke(s.Occupant.ID, r.now(), wait)
	}
	return err
}

// subjectOf returns the subject of a message that changes it: it has one and no body (XEP-0045 §7.2.15).
func subjectOf(st *stanza.Stanza) (string, bool) {
	e := st.Child("", "subject")
	if e == nil || st.Child("", "body") != nil || st.Child("", "thread") != nil {
		return "", false
	}
	return e.Text(), true
}

// private handles a message to one occupant (XEP-0045 §7.5).
func (r *Room) private(ctx context.Context, s *occupants.Session, st *stanza.Stanza) error {
	if s == nil {
		return stanza.NotAcceptable("You are not in the room.")
	}
	if !r.config.MaySendPrivate(s.Occupant.Role) {
		return stanza.Forbidden("Private messages are not allowed in this room.")
	}
	to := r.occupants.ByNick(st.To.Resource())
	if to == nil {
		return stanza.ItemNotFound("Nobody of this name is in the room.")
	}
	clean, target := r.clean(st), view(to)
	if to.Puppet != nil && to != s.Occupant {
		return r.owner.Message(ctx, r, Message{From: view(s.Occupant), Session: s.JID, To: &target, Stanza: clean})
	}
	if done, err := r.askOwner(ctx, Action{Kind: ActionPrivate, By: view(s.Occupant), Session: s.JID, Target: &target}); err != nil || !done {
		return err
	}
	r.deliver(to, Post{
		From: s.Occupant.ID, Nick: s.Occupant.Nick, ID: st.ID, Lang: st.Lang, Extra: st.Extra, Payload: clean.Payload,
	}, st.Type)
	return nil
}

// clean removes the children that only this room or the receiver's server may add.
func (r *Room) clean(st *stanza.Stanza) *stanza.Stanza {
	return st.Without(func(e *stanza.Element) bool {
		switch e.Space {
		case muc.NSUser, muc.NSOccupantID, hats.NS, muc.NSAddress, message.NSCarbons, nsMAM: // XEP-0421 §4, XEP-0045 §17.3
			return true
		case message.NSStanzaID: // XEP-0359 §3
			return e.Local == "stanza-id" && (r.isOurs(e.Attr("by")) || r.reveals(st.From, e.Attr("by")))
		case nsModerate: // XEP-0425 §5: only the room announces moderation
			return true
		case nsRetract:
			return e.Child(nsModerate, "moderated") != nil
		case nsFasten: // the same in the earlier version of XEP-0425
			return e.Child(nsModerateOld, "moderated") != nil
		case message.NSDelay, message.NSOldDelay: // only the room adds delays to its history
			return e.Attr("from") == "" || r.isOurs(e.Attr("from")) || r.reveals(st.From, e.Attr("from"))
		}
		return false
	})
}

// reveals reports whether an address is that of a person or of the person's server, in a room that does not show who is who.
func (r *Room) reveals(person jid.JID, address string) bool {
	j, err := jid.Parse(address)
	return err == nil && !r.config.NonAnonymous() && (j.Bare() == person.Bare() || j == person.Host())
}

// isOurs reports whether an address, normalised or not, belongs to the room or an occupant.
func (r *Room) isOurs(address string) bool {
	j, err := jid.Parse(address)
	return err == nil && j.Bare() == r.jid
}
