package room

import (
	"context"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/room/rules"
)

// Occupant is a copy of the state of an occupant.
type Occupant struct {
	ID          string // XEP-0421
	Nick        string
	JID         jid.JID // the real JID: that of the most available session, or the puppet's
	Role        rules.Role
	Affiliation rules.Affiliation
	Puppet      bool      // a puppet, with or without sessions
	Sessions    []jid.JID // XMPP sessions, in the order of entry
	Show        string    // as in presence; "" is available
	Status      string
}

// view returns a copy of the state of o.
func view(o *occupants.Occupant) Occupant {
	v := Occupant{ID: o.ID, Nick: o.Nick, JID: o.RealJID(), Role: o.Role, Affiliation: o.Affiliation, Puppet: o.Puppet != nil}
	for _, s := range o.Sessions {
		v.Sessions = append(v.Sessions, s.JID)
	}
	if s := o.BestSession(); s != nil {
		v.Show, v.Status = s.Show, s.Status
	} else if o.Puppet != nil {
		v.Show, v.Status = o.Puppet.Show, o.Puppet.Status
	}
	return v
}

// RemoveOccupant removes an occupant: all its sessions, and the puppet.
func (r *Room) RemoveOccupant(ctx context.Context, id string, d Departure) bool {
	o := r.occupants.ByID(id)
	if o == nil {
		return false
	}
	r.endOccupant(ctx, o, d)
	return true
}

// RemoveSession removes one session.
func (r *Room) RemoveSession(ctx context.Context, session jid.JID, d Departure) bool {
	s := r.occupants.BySession(session)
	if s == nil {
		return false
	}
	r.endSession(ctx, s, d, nil)
	return true
}

// OccupantCount returns how many people are in the room.
func (r *Room) OccupantCount() int { return len(r.occupants.All()) }

// Occupants lists the occupants in the order of entry.
func (r *Room) Occupants() []Occupant {
	list := make([]Occupant, len(r.occupants.All()))
	for i, o := range r.occupants.All() {
		list[i] = view(o)
	}
	return list
}

// Occupant returns an occupant by id.
func (r *Room) Occupant(id string) (Occupant, bool) {
	o := r.occupants.ByID(id)
	if o == nil {
		return Occupant{}, false
	}
	return view(o), true
}

// NickIsFree reports whether no occupant but the one with that id has a nick that looks like a display name's.
func (r *Room) NickIsFree(name, id string) bool {
	return r.occupants.NickIsFree(r.occupants.CleanNick(name), r.occupants.ByID(id))
}

// ByNick returns an occupant by nick.
func (r *Room) ByNick(nick string) (Occupant, bool) {
	o := r.occupants.ByNick(nick)
	if o == nil {
		return Occupant{}, false
	}
	return view(o), true
}

// BySession returns the occupant that an XMPP session belongs to.
func (r *Room) BySession(session jid.JID) (Occupant, bool) {
	s := r.occupants.BySession(session)
	if s == nil {
		return Occupant{}, false
	}
	return view(s.Occupant), true
}

// Sessions returns the number of XMPP sessions in the room. If it is 0 nothing needs to be sent.
func (r *Room) Sessions() int { return len(r.occupants.Sessions()) }

// Has reports whether a session is in the room.
func (r *Room) Has(session jid.JID) bool { return r.occupants.BySession(session) != nil }
