package room

import (
	"context"

	"github.com/dragoman-im/dragoman/core/stanza"
)

func (r *Room) handlePresence(ctx context.Context, st *stanza.Stanza) error {
	s := r.bySession[st.From]
	switch st.Type {
	case "":
		switch {
		case st.Child(NS, "x") != nil:
			return r.enter(ctx, st)
		case s == nil:
			r.sendNotInRoom(st)
			return nil
		case st.To.IsBare() || st.To.Resource() == s.o.nick || st.To.Resource() == s.asked:
			// A client that was given another nick may still address the one that it asked for.
			if err := r.mayChangePresence(s.o.id); err != nil {
				return err
			}
			return r.changePresence(ctx, s, st)
		}
		if err := r.mayChangePresence(s.o.id); err != nil {
			return err
		}
		return r.changeNick(ctx, s, st)
	case stanza.TypeUnavailable:
		if s != nil { // XEP-0045 §17.3: silently ignored from anybody else
			r.endSession(ctx, s, Departure{Kind: Left}, st)
		}
		return nil
	case stanza.TypeProbe:
		if o := r.byNick[st.To.Resource()]; s != nil && o != nil { // XEP-0045 §17.3
			r.send(&stanza.Stanza{
				Kind: stanza.Presence, To: s.jid, From: o.jid, Extra: o.extra(), Payload: r.payload(o, r.seesJIDs(s, o)),
			})
		}
		return nil
	}
	return nil // a room has no subscriptions
}

// sendNotInRoom informs a client that it is not in the room (any longer) (XEP-0045 §7.2.18).
func (r *Room) sendNotInRoom(st *stanza.Stanza) {
	if st.To.IsBare() {
		return
	}
	x := stanza.NewElement(NSUser, "x").Add(
		stanza.NewElement(NSUser, "item").With("affiliation", string(AffNone)).With("role", string(RoleNone)).
			Add(stanza.TextElement(NSUser, "reason", "You are not in the room.")),
		status(statusSelf), status(statusKicked), status(statusFault))
	p := stanza.NewPresence(st.From, st.To, stanza.TypeUnavailable, x)
	p.ID = st.ID
	r.send(p)
}

// changePresence handles a change of a session's availability (XEP-0045 §7.7).
func (r *Room) changePresence(ctx context.Context, s *session, st *stanza.Stanza) error {
	before := r.visible(s.o)
	r.keepPresence(s, st)
	if r.visible(s.o) != before {
		r.announce(s.o, presenceChange{id: st.ID, by: s})
	} else {
		own := r.toSelf(s, &presenceChange{}, []int{statusSelf})
		own.ID = st.ID
		r.send(own)
	}
	r.notify(ctx, Event{Kind: PresenceChange, Occupant: s.o.view(), Session: s.jid, Presence: st})
	return nil
}
