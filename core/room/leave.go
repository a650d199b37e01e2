package room

import (
	"context"
	"slices"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// depart takes one session out. st is its unavailable presence, if it went by itself.
// The occupant goes with its last session, unless it is a network member.
func (r *Room) depart(ctx context.Context, s *session, d Departure, st *stanza.Stanza) {
	if r.sessions[s.jid] != s {
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
	if len(o.sessions) == 1 && o.member == nil {
		r.farewell(o, d, status)
		r.part(s)
		r.unseat(o)
	} else {
		saw := r.visible(o)
		n := d.notice(status)
		own := r.toSelf(s, &n, []int{statusSelf})
		r.part(s)
		r.send(own)
		if r.visible(o) != saw {
			r.announce(o, notice{})
		}
	}
	r.notify(ctx, Event{Kind: kind, Occupant: o.view(), Session: s.jid, Presence: st, Reason: d.Reason})
}

// expel takes all sessions of an occupant out, and the network member with them.
func (r *Room) expel(ctx context.Context, o *occupant, d Departure) {
	if r.ids[o.id] != o {
		return // went meanwhile
	}
	r.farewell(o, d, "")
	kind := Exited
	if d.Kind == Fault {
		kind = DeliveryFault
	}
	gone := slices.Clone(o.sessions)
	for _, s := range gone {
		r.part(s)
	}
	if o.member != nil {
		r.members--
		o.member = nil
	}
	r.unseat(o)
	for _, s := range gone {
		r.notify(ctx, Event{Kind: kind, Occupant: o.view(), Session: s.jid, Reason: d.Reason})
	}
}

// farewell is unavailable presence of an occupant to everybody (XEP-0045 §7.14).
func (r *Room) farewell(o *occupant, d Departure, status string) {
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
	for _, s := range r.order {
		n := Departure{Kind: Shutdown}.notice("")
		r.send(r.toSelf(s, &n, []int{statusSelf}))
	}
	r.empty()
}

func (r *Room) empty() {
	clear(r.ids)
	clear(r.nicks)
	clear(r.sessions)
	clear(r.queries)
	r.seats, r.order, r.addrs, r.members = nil, nil, nil, 0
}
