package room

import (
	"context"

	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

func (r *Room) handlePresence(ctx context.Context, st *stanza.Stanza) error {
	s := r.occupants.BySession(st.From)
	switch st.Type {
	case "":
		switch {
		case st.Child(muc.NS, "x") != nil:
			return r.enter(ctx, st)
		case s == nil:
			r.sendNotInRoom(st)
			return nil
		case st.To.IsBare() || st.To.Resource() == s.Occupant.Nick || st.To.Resource() == s.Asked:
			// A client that was given another nick may still address the one that it asked for.
			if err := r.mayChangePresence(s.Occupant.ID); err != nil {
				return err
			}
			return r.changePresence(ctx, s, st)
		}
		if err := r.mayChangePresence(s.Occupant.ID); err != nil {
			return err
		}
		return r.changeNick(ctx, s, st)
	case stanza.TypeUnavailable:
		if s != nil { // XEP-0045 §17.3: silently ignored from anybody else
			r.endSession(ctx, s, Departure{Kind: Left}, st)
		}
		return nil
	case stanza.TypeProbe:
		if o := r.occupants.ByNick(st.To.Resource()); s != nil && o != nil { // XEP-0045 §17.3
			r.send(&stanza.Stanza{
				Kind: stanza.Presence, To: s.JID, From: o.JID, Extra: o.Extra(), Payload: r.occupants.Payload(o, r.occupants.SeesJIDs(s, o)),
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
	x := stanza.NewElement(muc.NSUser, "x").Add(
		stanza.NewElement(muc.NSUser, "item").With("affiliation", string(rules.AffNone)).With("role", string(rules.RoleNone)).
			Add(stanza.TextElement(muc.NSUser, "reason", "You are not in the room.")),
		muc.Status(muc.StatusSelf), muc.Status(muc.StatusKicked), muc.Status(muc.StatusFault))
	p := stanza.NewPresence(st.From, st.To, stanza.TypeUnavailable, x)
	p.ID = st.ID
	r.send(p)
}

// changePresence handles a change of a session's availability (XEP-0045 §7.7).
func (r *Room) changePresence(ctx context.Context, s *occupants.Session, st *stanza.Stanza) error {
	before := r.occupants.Visible(s.Occupant)
	r.occupants.KeepPresence(s, st)
	if r.occupants.Visible(s.Occupant) != before {
		r.occupants.Announce(s.Occupant, occupants.Change{ID: st.ID, By: s})
	} else {
		own := r.occupants.ToSelf(s, &occupants.Change{}, []int{muc.StatusSelf})
		own.ID = st.ID
		r.send(own)
	}
	r.notify(ctx, Event{Kind: PresenceChange, Occupant: view(s.Occupant), Session: s.JID, Presence: st})
	return nil
}
