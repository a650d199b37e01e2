package room

import (
	"context"

	"github.com/dragoman-im/dragoman/core/jid"
)

// RemoveOccupant removes an occupant: all its sessions, and the puppet.
func (r *Room) RemoveOccupant(ctx context.Context, id string, d Departure) bool {
	o := r.byID[id]
	if o == nil {
		return false
	}
	r.endOccupant(ctx, o, d)
	return true
}

// RemoveSession removes one session.
func (r *Room) RemoveSession(ctx context.Context, session jid.JID, d Departure) bool {
	s := r.bySession[session]
	if s == nil {
		return false
	}
	r.endSession(ctx, s, d, nil)
	return true
}

// Occupants lists the occupants in the order of entry.
func (r *Room) Occupants() []Occupant {
	list := make([]Occupant, len(r.occupants))
	for i, o := range r.occupants {
		list[i] = o.view()
	}
	return list
}

// Occupant returns an occupant by id.
func (r *Room) Occupant(id string) (Occupant, bool) {
	o := r.byID[id]
	if o == nil {
		return Occupant{}, false
	}
	return o.view(), true
}

// NickIsFree reports whether no occupant but the one with that id has a nick that looks like a display name's.
func (r *Room) NickIsFree(name, id string) bool { return r.nickIsFree(r.cleanNick(name), r.byID[id]) }

// ByNick returns an occupant by nick.
func (r *Room) ByNick(nick string) (Occupant, bool) {
	o := r.byNick[nick]
	if o == nil {
		return Occupant{}, false
	}
	return o.view(), true
}

// BySession returns the occupant that an XMPP session belongs to.
func (r *Room) BySession(session jid.JID) (Occupant, bool) {
	s := r.bySession[session]
	if s == nil {
		return Occupant{}, false
	}
	return s.o.view(), true
}

// Sessions returns the number of XMPP sessions in the room. If it is 0 nothing needs to be sent.
func (r *Room) Sessions() int { return len(r.receivers) }

// Has reports whether a session is in the room.
func (r *Room) Has(session jid.JID) bool { return r.bySession[session] != nil }
