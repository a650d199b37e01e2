package room

import (
	"context"
	"iter"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/affiliations"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// SetRole changes a role and announces it; RoleNone is a kick.
func (r *Room) SetRole(ctx context.Context, id string, role rules.Role, reason string) bool {
	o := r.occupants.ByID(id)
	if o == nil || !role.Valid() {
		return false
	}
	r.setRole(ctx, o, role, Departure{Kind: Kicked, Reason: reason})
	return true
}

func (r *Room) setRole(ctx context.Context, o *occupants.Occupant, role rules.Role, d Departure) {
	switch {
	case role == o.Role, r.occupants.ByID(o.ID) != o: // or the occupant has left before
		return
	case role == rules.RoleNone:
		r.endOccupant(ctx, o, d)
		return
	}
	before := o.Role
	o.SetRole(role)
	r.occupants.AnnounceChange(o, before, occupants.Change{Actor: d.Actor, Reason: d.Reason})
}

// Affiliations iterates over the lists of the room, in the goroutine of the room. They must not be changed meanwhile.
func (r *Room) Affiliations() iter.Seq2[jid.JID, affiliations.Entry] { return r.lists.All() }

// Listed returns the entry of exactly this bare JID or domain in the lists of the room.
func (r *Room) Listed(j jid.JID) (e affiliations.Entry, listed bool) { return r.lists.Find(j) }

// SetAffiliation changes the lists and announces the change for the occupants concerned.
func (r *Room) SetAffiliation(ctx context.Context, bare jid.JID, e affiliations.Entry) error {
	w := Action{Kind: ActionAffiliation, JID: bare.Bare(), Affiliation: e.Affiliation, Value: e.Nick, Reason: e.Reason}
	if err := r.saveLists(ctx, []Action{w}); err != nil {
		return err
	}
	r.affiliate(ctx, w, "")
	return nil
}

// affiliate carries out and announces a change of affiliation that has been saved.
func (r *Room) affiliate(ctx context.Context, w Action, actor string) {
	before := r.lists.Of(w.JID)
	var step affiliations.Step
	if !w.JID.IsZero() {
		step = r.lists.Apply(w.wanted())
	}
	var present []*occupants.Occupant
	for _, o := range r.occupants.All() {
		if w.Target != nil && o.ID == w.Target.ID || !w.JID.IsZero() && o.BareJID() == w.JID || r.metByDomainBan(o, w) {
			present = append(present, o)
		}
	}
	for _, o := range present {
		if r.reaffiliate(ctx, o, w, occupants.Change{Actor: actor, Reason: w.Reason, Version: r.stepOf(step, o, w)}) {
			step = affiliations.Step{} // presence has announced it
		}
	}
	r.sendStep(step, w.JID)
	if len(present) == 0 && r.config.MembersOnly && before == rules.AffNone && w.Affiliation == rules.AffMember && w.Kind != ActionRegister { // XEP-0045 §9.5
		i := invitation{to: w.JID, from: r.jid, reason: w.Reason}
		switch s := r.occupants.BySession(w.Session); {
		case r.config.NonAnonymous() && !w.Session.IsZero():
			i.from = w.Session.Bare()
		case s != nil:
			i.from = s.Occupant.JID
		}
		r.sendInvitation(i)
	} else if len(present) == 0 && w.Affiliation != before && w.reportedToAbsent() {
		// XEP-0045 §18.1
		r.send(stanza.NewMessage(w.JID, r.jid, "", stanza.NewElement(muc.NSUser, "x").Add(muc.Status(muc.StatusAffiliation))))
	}
	r.notify(ctx, Event{Kind: ConfigChange, JID: w.JID})
}

// reportedToAbsent reports whether somebody who is not in the room learns about a change of affiliation: one that somebody else has made,
// of a person.
func (w Action) reportedToAbsent() bool {
	return w.Kind == ActionAffiliation && !w.Session.IsZero() && w.JID != w.Session.Bare() && !w.JID.IsHost()
}

// metByDomainBan reports whether w bans the domain of o, and o is not on a list (XEP-0045 §9.2).
func (r *Room) metByDomainBan(o *occupants.Occupant, w Action) bool {
	bare := o.BareJID()
	return w.Affiliation == rules.AffOutcast && w.JID.IsHost() && len(o.Sessions) > 0 && bare.Host() == w.JID && !r.lists.Has(bare) && o.Affiliation == rules.AffNone
}

// reaffiliate changes the affiliation of an occupant, and the role if it depends on the affiliation. It returns whether presence has
// announced the change to everybody.
func (r *Room) reaffiliate(ctx context.Context, o *occupants.Occupant, w Action, n occupants.Change) (announced bool) {
	if r.occupants.ByID(o.ID) != o {
		return false // left meanwhile
	}
	was, role := o.Affiliation, o.Role
	o.SetAffiliation(w.Affiliation)
	d := Departure{Kind: Banned, Actor: n.Actor, Reason: w.Reason, version: n.Version}
	shown := n.Version != nil && r.config.Broadcasts(role)
	switch {
	case o.Affiliation == rules.AffOutcast: // XEP-0045 §9.1
		r.endOccupant(ctx, o, d)
		return shown
	case r.config.MembersOnly && !o.Affiliation.AtLeast(rules.AffMember) && len(o.Sessions) > 0: // XEP-0045 §9.4
		d.Kind = LostAffiliation
		r.endOccupant(ctx, o, d)
		return shown
	case o.Affiliation == was:
		return false
	case o.Affiliation.AtLeast(rules.AffAdmin), o.Affiliation.AtLeast(rules.AffMember) && role == rules.RoleVisitor, was.AtLeast(rules.AffAdmin): // XEP-0045 §5.1.3
		o.SetRole(rules.DefaultRole(o.Affiliation, r.config.Moderated))
	}
	r.occupants.AnnounceChange(o, role, n)
	return shown || n.Version != nil && r.config.Broadcasts(o.Role)
}
