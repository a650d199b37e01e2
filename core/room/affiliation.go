package room

import (
	"context"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// SetRole changes a role and announces it; RoleNone is a kick.
func (r *Room) SetRole(ctx context.Context, id string, role Role, reason string) bool {
	o := r.byID[id]
	if o == nil || !role.Valid() {
		return false
	}
	r.setRole(ctx, o, role, Departure{Kind: Kicked, Reason: reason})
	return true
}

func (r *Room) setRole(ctx context.Context, o *occupant, role Role, d Departure) {
	switch {
	case role == o.role, r.byID[o.id] != o: // or the occupant has left before
		return
	case role == RoleNone:
		r.endOccupant(ctx, o, d)
		return
	}
	before := o.role
	o.role = role
	if o.puppet != nil {
		o.puppet.Role = role
	}
	o.dropCache()
	r.announceChange(o, before, presenceChange{actor: d.Actor, reason: d.Reason})
}

// SetAffiliation changes the lists and announces the change for the occupants concerned.
func (r *Room) SetAffiliation(ctx context.Context, bare jid.JID, e ListEntry) error {
	w := Action{Kind: ActionAffiliation, JID: bare.Bare(), Affiliation: e.Affiliation, Value: e.Nick, Reason: e.Reason}
	if err := r.saveLists(ctx, []Action{w}); err != nil {
		return err
	}
	r.affiliate(ctx, w, "")
	return nil
}

// affiliate carries out and announces a change of affiliation that has been saved.
func (r *Room) affiliate(ctx context.Context, w Action, actor string) {
	before := r.listedAffiliation(w.JID)
	if !w.JID.IsZero() {
		r.putEntry(ListChange{JID: w.JID, Entry: w.listEntry(r.lists[w.JID])})
	}
	var present []*occupant
	for _, o := range r.occupants {
		if w.Target != nil && o.id == w.Target.ID || !w.JID.IsZero() && o.bareJID() == w.JID || r.metByDomainBan(o, w) {
			present = append(present, o)
		}
	}
	for _, o := range present {
		r.reaffiliate(ctx, o, w, actor)
	}
	if len(present) == 0 && r.config.MembersOnly && before == AffNone && w.Affiliation == AffMember && w.Kind != ActionRegister { // XEP-0045 §9.5
		i := invitation{to: w.JID, from: r.jid, reason: w.Reason}
		switch s := r.bySession[w.Session]; {
		case r.config.NonAnonymous() && !w.Session.IsZero():
			i.from = w.Session.Bare()
		case s != nil:
			i.from = s.o.jid
		}
		r.sendInvitation(i)
	} else if len(present) == 0 && w.Affiliation != before && w.reportedToAbsent() {
		// XEP-0045 §18.1
		r.send(stanza.NewMessage(w.JID, r.jid, "", stanza.NewElement(NSUser, "x").Add(status(statusAffiliation))))
	}
	r.notify(ctx, Event{Kind: ConfigChange, JID: w.JID})
}

// reportedToAbsent reports whether somebody who is not in the room learns about a change of affiliation: one that somebody else has made,
// of a person.
func (w Action) reportedToAbsent() bool {
	return w.Kind == ActionAffiliation && !w.Session.IsZero() && w.JID != w.Session.Bare() && !w.JID.IsHost()
}

// metByDomainBan reports whether w bans the domain of o, and o is not on a list (XEP-0045 §9.2).
func (r *Room) metByDomainBan(o *occupant, w Action) bool {
	bare := o.bareJID()
	_, listed := r.lists[bare]
	return w.Affiliation == AffOutcast && w.JID.IsHost() && len(o.sessions) > 0 && bare.Host() == w.JID && !listed && o.aff == AffNone
}

// reaffiliate changes the affiliation of an occupant, and the role if it depends on the affiliation.
func (r *Room) reaffiliate(ctx context.Context, o *occupant, w Action, actor string) {
	if r.byID[o.id] != o {
		return // left meanwhile
	}
	was, role := o.aff, o.role
	o.aff = w.Affiliation
	if o.puppet != nil {
		o.puppet.Affiliation = o.aff
	}
	o.dropCache()
	d := Departure{Kind: Banned, Actor: actor, Reason: w.Reason}
	switch {
	case o.aff == AffOutcast: // XEP-0045 §9.1
		r.endOccupant(ctx, o, d)
		return
	case r.config.MembersOnly && !o.aff.AtLeast(AffMember) && len(o.sessions) > 0: // XEP-0045 §9.4
		d.Kind = LostAffiliation
		r.endOccupant(ctx, o, d)
		return
	case o.aff == was:
		return
	case o.aff.AtLeast(AffAdmin), o.aff.AtLeast(AffMember) && role == RoleVisitor, was.AtLeast(AffAdmin): // XEP-0045 §5.1.3
		o.role = rules.DefaultRole(o.aff, r.config.Moderated)
		if o.puppet != nil {
			o.puppet.Role = o.role
		}
	}
	r.announceChange(o, role, presenceChange{actor: actor, reason: w.Reason})
}
