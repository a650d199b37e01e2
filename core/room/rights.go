package room

import (
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/rules"
)

// actor is the sender of a request, with its rights.
type actor struct {
	jid  jid.JID
	o    *occupant // nil where not in the room
	role Role
	aff  Affiliation
}

// actor returns the rights of a session: those of its occupant, or of its bare JID by
// the lists, for owners and admins who are not in the room.
func (r *Room) actor(session jid.JID) actor {
	if s := r.bySession[session]; s != nil {
		return actor{session, s.o, s.o.role, s.o.aff}
	}
	return actor{jid: session, role: RoleNone, aff: r.listedAffiliation(session.Bare())}
}

func (a actor) view() Occupant {
	if a.o != nil {
		return a.o.view()
	}
	return Occupant{JID: a.jid, Role: a.role, Affiliation: a.aff}
}

func (a actor) nick() string {
	if a.o != nil {
		return a.o.nick
	}
	return ""
}

// rights returns the rights of a.
func (a actor) rights() rules.Rights { return rules.Rights{Role: a.role, Affiliation: a.aff} }

func mayChangeRole(a actor, target *occupant, to Role) error {
	return rules.MayChangeRole(a.rights(), rules.Rights{Role: target.role, Affiliation: target.aff}, to, a.o == target)
}

func mayChangeAffiliation(a actor, bare jid.JID, from, to Affiliation) error {
	return rules.MayChangeAffiliation(a.aff, from, to, bare == a.jid.Bare())
}

// mayReadRoles reports whether a may read lists of roles: moderators and admins may (XEP-0045 §8.5, §9.8).
func (a actor) mayReadRoles() bool { return a.role == RoleModerator || a.aff.AtLeast(AffAdmin) }
