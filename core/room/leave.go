package room

import (
	"context"
	"slices"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Departure says how an occupant or a session leaves.
type Departure struct {
	Kind   DepartureKind
	Actor  string // nick of the occupant that caused it, or ""
	Reason string
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

// endSession removes one session and announces it. st is its unavailable presence, if it left by itself.
// The occupant is removed with its last session, unless it is a puppet.
func (r *Room) endSession(ctx context.Context, s *session, d Departure, st *stanza.Stanza) {
	if r.bySession[s.jid] != s {
		return // left meanwhile
	}
	if r.config.Locked && len(r.receivers) == 1 { // XEP-0045 §10.1.3: the owner has left before configuring it
		if err := r.Destroy(ctx, jid.JID{}, ""); err == nil {
			return
		}
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
		if d.Kind == Left || d.Kind == Fault {
			r.rememberRole(o)
		}
		r.announceLeave(o, d, status)
		r.detachSession(s)
		r.deleteOccupant(o)
	} else {
		saw := r.visible(o)
		n := d.presenceChange(status)
		own := r.toSelf(s, &n, []int{statusSelf})
		r.detachSession(s)
		r.send(own)
		if r.visible(o) != saw {
			r.announce(o, presenceChange{})
		}
	}
	r.notify(ctx, Event{Kind: kind, Occupant: o.view(), Session: s.jid, Presence: st, Reason: d.Reason})
}

// endOccupant removes an occupant with all its sessions and the puppet, and announces it.
func (r *Room) endOccupant(ctx context.Context, o *occupant, d Departure) {
	if r.byID[o.id] != o {
		return // left meanwhile
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

// announceLeave sends unavailable presence of an occupant to all sessions (XEP-0045 §7.14).
func (r *Room) announceLeave(o *occupant, d Departure, status string) {
	r.announce(o, d.presenceChange(status))
}

func (d Departure) presenceChange(status string) presenceChange {
	return presenceChange{
		typ: stanza.TypeUnavailable, role: RoleNone, codes: d.Kind.codes(),
		actor: d.Actor, reason: d.Reason, status: status,
	}
}

// Close removes all occupants because the service shuts down (XEP-0045 §11.2). The Owner gets
// no events.
func (r *Room) Close() {
	for _, s := range r.receivers {
		n := Departure{Kind: Shutdown}.presenceChange("")
		r.send(r.toSelf(s, &n, []int{statusSelf}))
	}
	r.removeAll()
}

func (r *Room) removeAll() {
	clear(r.byID)
	clear(r.byNick)
	clear(r.byLook)
	clear(r.bySession)
	clear(r.queries)
	r.occupants, r.receivers, r.addresses, r.puppets = nil, nil, nil, 0
}
