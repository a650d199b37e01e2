package room

import (
	"context"
	"slices"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// Departure says how somebody went.
type Departure struct {
	Kind   DepartureKind
	Actor  string // nick of who did it, "" for nobody
	Reason string
}

// DepartureKind is why somebody is out of the room.
type DepartureKind uint8

// The ways to go.
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
		return []int{statusKicked}
	case Banned:
		return []int{statusBanned}
	case LostAffiliation:
		return []int{statusRemoved}
	case BecameMembersOnly:
		return []int{statusMembersOnly}
	case Shutdown:
		return []int{statusShutdown}
	case Fault:
		return []int{statusFault}
	}
	return nil
}

// depart takes one session out. st is its unavailable presence, if it went by itself.
// The occupant goes with its last session, unless it is a network member.
func (r *Room) endSession(ctx context.Context, s *session, d Departure, st *stanza.Stanza) {
	if r.bySession[s.jid] != s {
		return // went meanwhile
	}
	o, status := s.o, ""
	if st != nil {
		status = truncate(st.Tree().ChildText("", "status"), r.limits.Presence/8)
	}
	kind := Exited
	if d.Kind == Fault {
		kind = DeliveryFault
	}
	if len(o.sessions) == 1 && o.puppet == nil {
		r.announceLeave(o, d, status)
		r.detachSession(s)
		r.deleteOccupant(o)
	} else {
		saw := r.visible(o)
		n := d.notice(status)
		own := r.toSelf(s, &n, []int{statusSelf})
		r.detachSession(s)
		r.send(own)
		if r.visible(o) != saw {
			r.announce(o, notice{})
		}
	}
	r.notify(ctx, Event{Kind: kind, Occupant: o.view(), Session: s.jid, Presence: st, Reason: d.Reason})
}

// expel takes all sessions of an occupant out, and the network member with them.
func (r *Room) endOccupant(ctx context.Context, o *occupant, d Departure) {
	if r.byID[o.id] != o {
		return // went meanwhile
	}
	r.announceLeave(o, d, "")
	kind := Exited
	if d.Kind == Fault {
		kind = DeliveryFault
	}
	gone := slices.Clone(o.sessions)
	for _, s := range gone {
		r.detachSession(s)
	}
	if o.puppet != nil {
		r.puppets--
		o.puppet = nil
	}
	r.deleteOccupant(o)
	for _, s := range gone {
		r.notify(ctx, Event{Kind: kind, Occupant: o.view(), Session: s.jid, Reason: d.Reason})
	}
}

// farewell is unavailable presence of an occupant to everybody (XEP-0045 §7.14).
func (r *Room) announceLeave(o *occupant, d Departure, status string) {
	r.announce(o, d.notice(status))
}

func (d Departure) notice(status string) notice {
	return notice{
		typ: stanza.TypeUnavailable, role: RoleNone, codes: d.Kind.codes(),
		actor: d.Actor, reason: d.Reason, status: status,
	}
}

// Close tells everybody that the service shuts down (XEP-0045 §11.2) and empties the
// room; the Owner is told nothing.
func (r *Room) Close() {
	for _, s := range r.receivers {
		n := Departure{Kind: Shutdown}.notice("")
		r.send(r.toSelf(s, &n, []int{statusSelf}))
	}
	r.removeAll()
}

func (r *Room) removeAll() {
	clear(r.byID)
	clear(r.byNick)
	clear(r.bySession)
	clear(r.queries)
	r.occupants, r.receivers, r.addresses, r.puppets = nil, nil, nil, 0
}
