package room

import (
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
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

// mayChangeRole implements the rules of XEP-0045 §5.1.3, §8.2 to §8.5 and §9.6 to §9.8.
func mayChangeRole(a actor, target *occupant, to Role) error {
	admin := a.aff.AtLeast(AffAdmin)
	switch {
	case a.role != RoleModerator && !admin:
		return stanza.Forbidden("Only moderators may do this.") // XEP-0045 §8
	case to == target.role, to == RoleNone && a.o == target:
		return nil
	case to == RoleModerator && !admin:
		return stanza.Forbidden("Only admins may make moderators.") // XEP-0045 §9.6
	case to.AtLeast(target.role):
		return nil // voice or moderator status granted: XEP-0045 §8.3, §9.6
	case target.aff.rank() > a.aff.rank():
		return stanza.NotAllowed("This occupant has a higher affiliation than you.") // XEP-0045 §8.2
	case target.role == RoleModerator && !admin:
		return stanza.NotAllowed("Only admins may do this to a moderator.") // XEP-0045 §5.1.3
	case to == RoleNone:
		return nil // XEP-0045 §8.2
	case target.aff.AtLeast(AffAdmin):
		return stanza.NotAllowed("Admins and owners are always moderators.") // XEP-0045 §8.4, §9.7
	case to == RoleVisitor && target.aff.AtLeast(AffMember) && target.aff.AtLeast(a.aff):
		return stanza.NotAllowed("This occupant's affiliation is not lower than yours.") // XEP-0045 §8.4
	}
	return nil
}

// mayChangeAffiliation implements the rules of XEP-0045 §5.2.2, §9.1 to §9.5 and §10.3 to §10.8.
func mayChangeAffiliation(a actor, bare jid.JID, from, to Affiliation) error {
	switch {
	case !a.aff.AtLeast(AffAdmin):
		return stanza.Forbidden("Only admins may do this.") // XEP-0045 §9
	case to == AffOutcast && bare == a.jid.Bare():
		return stanza.Conflict("You cannot ban yourself.") // XEP-0045 §9.1
	case from == to || a.aff == AffOwner:
		return nil
	case from.AtLeast(AffAdmin):
		return stanza.NotAllowed("Only owners may do this to an admin or owner.") // XEP-0045 §9.1
	case to.AtLeast(AffAdmin):
		return stanza.Forbidden("Only owners may make admins and owners.") // XEP-0045 §10.3, §10.6
	}
	return nil
}

// mayReadRoles reports whether a may read lists of roles: moderators and admins may (XEP-0045 §8.5, §9.8).
func (a actor) mayReadRoles() bool { return a.role == RoleModerator || a.aff.AtLeast(AffAdmin) }

// mayReadList reports whether a may read a list of affiliations. Admins may; in a non-anonymous room members may too,
// except for the list of outcasts (XEP-0045 §5.2.1, §9.5).
func (r *Room) mayReadList(a actor, list Affiliation) bool {
	if a.aff.AtLeast(AffAdmin) {
		return true
	}
	if list == AffOutcast || !r.config.nonAnonymous() {
		return false
	}
	return a.aff == AffMember || a.o != nil && r.config.MembersOnly
}
