package room

import (
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/room/rules"
)

// actor is the sender of a request, with its rights.
type actor struct {
	jid  jid.JID
	o    *occupants.Occupant // nil where not in the room
	role rules.Role
	aff  rules.Affiliation
}

// actor returns the rights of a session: those of its occupant, or of its bare JID by
// the lists, for owners and admins who are not in the room.
func (r *Room) actor(session jid.JID) actor {
	if s := r.occupants.BySession(session); s != nil {
		return actor{session, s.Occupant, s.Occupant.Role, s.Occupant.Affiliation}
	}
	return actor{jid: session, role: rules.RoleNone, aff: r.lists.Of(session.Bare())}
}

func (a actor) view() Occupant {
	if a.o != nil {
		return view(a.o)
	}
	return Occupant{JID: a.jid, Role: a.role, Affiliation: a.aff}
}

func (a actor) nick() string {
	if a.o != nil {
		return a.o.Nick
	}
	return ""
}

// rights returns the rights of a.
func (a actor) rights() rules.Rights { return rules.Rights{Role: a.role, Affiliation: a.aff} }

func mayChangeRole(a actor, target *occupants.Occupant, to rules.Role) error {
	return rules.MayChangeRole(a.rights(), rules.Rights{Role: target.Role, Affiliation: target.Affiliation}, to, a.o == target)
}

func mayChangeAffiliation(a actor, bare jid.JID, from, to rules.Affiliation) error {
	return rules.MayChangeAffiliation(a.aff, from, to, bare == a.jid.Bare())
}

// mayReadRoles reports whether a may read lists of roles: moderators and admins may (XEP-0045 §8.5, §9.8).
func (a actor) mayReadRoles() bool {
	return a.role == rules.RoleModerator || a.aff.AtLeast(rules.AffAdmin)
}
