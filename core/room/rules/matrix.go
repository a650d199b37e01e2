package rules

import "github.com/dragoman-im/dragoman/core/stanza"

// Rights is the role and the affiliation of somebody.
type Rights struct {
	Role        Role
	Affiliation Affiliation
}

// MayChangeRole implements the rules of XEP-0045 §5.1.3, §8.2 to §8.5 and §9.6 to §9.8 for a change of the target's role by the
// actor; self means that both are the same occupant.
func MayChangeRole(actor, target Rights, to Role, self bool) error {
	admin := actor.Affiliation.AtLeast(AffAdmin)
	switch {
	case actor.Role != RoleModerator && !admin:
		return stanza.Forbidden("Only moderators may do this.") // XEP-0045 §8
	case to == target.Role, to == RoleNone && self:
		return nil
	case to == RoleModerator && !admin:
		return stanza.Forbidden("Only admins may make moderators.") // XEP-0045 §9.6
	case to.AtLeast(target.Role):
		return nil // voice or moderator status granted: XEP-0045 §8.3, §9.6
	case target.Affiliation.rank() > actor.Affiliation.rank():
		return stanza.NotAllowed("This occupant has a higher affiliation than you.") // XEP-0045 §8.2
	case target.Role == RoleModerator && !admin:
		return stanza.NotAllowed("Only admins may do this to a moderator.") // XEP-0045 §5.1.3
	case to == RoleNone:
		return nil // XEP-0045 §8.2
	case target.Affiliation.AtLeast(AffAdmin):
		return stanza.NotAllowed("Admins and owners are always moderators.") // XEP-0045 §8.4, §9.7
	case to == RoleVisitor && target.Affiliation.AtLeast(AffMember) && target.Affiliation.AtLeast(actor.Affiliation):
		return stanza.NotAllowed("This occupant's affiliation is not lower than yours.") // XEP-0045 §8.4
	}
	return nil
}

// MayChangeAffiliation implements the rules of XEP-0045 §5.2.2, §9.1 to §9.5 and §10.3 to §10.8 for a change of somebody's affiliation
// by one who has the affiliation actor; self means that both are the same bare JID.
func MayChangeAffiliation(actor, from, to Affiliation, self bool) error {
	switch {
	case !actor.AtLeast(AffAdmin):
		return stanza.Forbidden("Only admins may do this.") // XEP-0045 §9
	case to == AffOutcast && self:
		return stanza.Conflict("You cannot ban yourself.") // XEP-0045 §9.1
	case from == to || actor == AffOwner:
		return nil
	case from.AtLeast(AffAdmin):
		return stanza.NotAllowed("Only owners may do this to an admin or owner.") // XEP-0045 §9.1
	case to.AtLeast(AffAdmin):
		return stanza.Forbidden("Only owners may make admins and owners.") // XEP-0045 §10.3, §10.6
	}
	return nil
}
