package room

import (
	"context"
	"slices"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Departure says how an occupant or a session leaves.
type Departure struct {
	Kind   DepartureKind
	Actor  string // nick of the occupant that caused it, or ""
	Reason string

	version *stanza.Element // of a change of affiliation (XEP-0463 §5.2.2)
}

// DepartureKind is why an occupant or a session leaves.
type DepartureKind uint8

// The kinds of departure.
const (
	Left              DepartureKind = iota
	Kicked                          // status 307
	Banned                          // status 301
	LostAffiliation                 // status 321: affiliation lost in a members-only room
	BecameMembersOnly               // status 322: the room has become members-only
	Shutdown                        // status 332
	Fault                           // status 333: delivery failed
)

func (k DepartureKind) codes() []int {
	switch k {
	case Kicked:
		return []int{muc.StatusKicked}
	case Banned:
		return []int{muc.StatusBanned}
	case LostAffiliation:
		return []int{muc.StatusRemoved}
	case BecameMembersOnly:
		return []int{muc.StatusMembersOnly}
	case Shutdown:
		return []int{muc.StatusShutdown}
	case Fault:
		return []int{muc.StatusFault}
	}
	return nil
}

// endSession removes one session and announces it. st is its unavailable presence, if it left by itself.
// The occupant is removed with its last session, unless it is a puppet.
func (r *Room) endSession(ctx context.Context, s *occupants.Session, d Departure, st *stanza.Stanza) {
	if r.occupants.BySession(s.JID) != s {
		return // left meanwhile
	}
	if r.config.Locked && len(r.occupants.Sessions()) == 1 { // XEP-0045 §10.1.3: the owner has left before configuring it
		if err := r.Destroy(ctx, jid.JID{}, ""); err == nil {
			return
		}
	}
	o, status := s.Occupant, ""
	if st != nil {
		status = rules.Truncate(st.Tree().ChildText("", "status"), r.limits.Presence/8)
	}
	kind := Exited
	if d.Kind == Fault {
		kind = DeliveryFault
	}
	if len(o.Sessions) == 1 && o.Puppet == nil {
		if d.Kind == Left || d.Kind == Fault {
			r.rememberRole(o)
		}
		r.announceLeave(o, d, status)
		r.detach(s)
		r.occupants.Remove(o)
	} else {
		saw := r.occupants.Visible(o)
		n := d.change(status)
		own := r.occupants.ToSelf(s, &n, []int{muc.StatusSelf})
		r.detach(s)
		r.send(own)
		if r.occupants.Visible(o) != saw {
			r.occupants.Announce(o, occupants.Change{})
		}
	}
	r.notify(ctx, Event{Kind: kind, Occupant: view(o), Session: s.JID, Presence: st, Reason: d.Reason})
}

// endOccupant removes an occupant with all its sessions and the puppet, and announces it.
func (r *Room) endOccupant(ctx context.Context, o *occupants.Occupant, d Departure) {
	if r.occupants.ByID(o.ID) != o {
		return // left meanwhile
	}
	r.announceLeave(o, d, "")
	kind := Exited
	if d.Kind == Fault {
		kind = DeliveryFault
	}
	gone := slices.Clone(o.Sessions)
	for _, s := range gone {
		r.detach(s)
	}
	r.occupants.SetPuppet(o, nil)
	r.occupants.Remove(o)
	for _, s := range gone {
		r.notify(ctx, Event{Kind: kind, Occupant: view(o), Session: s.JID, Reason: d.Reason})
	}
}

// announceLeave sends unavailable presence of an occupant to all sessions (XEP-0045 §7.14).
func (r *Room) announceLeave(o *occupants.Occupant, d Departure, status string) {
	r.occupants.Announce(o, d.change(status))
}

func (d Departure) change(status string) occupants.Change {
	return occupants.Change{
		Type: stanza.TypeUnavailable, Role: rules.RoleNone, Codes: d.Kind.codes(),
		Actor: d.Actor, Reason: d.Reason, Status: status, Version: d.version,
	}
}

// Close removes all occupants because the service shuts down (XEP-0045 §11.2). The Owner gets
// no events.
func (r *Room) Close() {
	for _, s := range r.occupants.Sessions() {
		n := Departure{Kind: Shutdown}.change("")
		r.send(r.occupants.ToSelf(s, &n, []int{muc.StatusSelf}))
	}
	r.removeAll()
}

func (r *Room) removeAll() {
	clear(r.queries)
	r.occupants.Clear()
}

// detach removes a session from its occupant, which stays, and ends what waits for an answer of it.
func (r *Room) detach(s *occupants.Session) {
	r.occupants.Detach(s)
	r.forgetQueries(s)
}
