package rules

// Role is what an occupant may do while in the room (XEP-0045 §5.1). "" is unspecified.
type Role string

// The roles, from the lowest to the highest.
const (
	RoleNone        Role = "none"
	RoleVisitor     Role = "visitor"
	RoleParticipant Role = "participant"
	RoleModerator   Role = "moderator"
)

// Affiliation is a lasting relation of a JID to the room (XEP-0045 §5.2). "" is unspecified.
type Affiliation string

// The affiliations, from the lowest to the highest.
const (
	AffOutcast Affiliation = "outcast"
	AffNone    Affiliation = "none"
	AffMember  Affiliation = "member"
	AffAdmin   Affiliation = "admin"
	AffOwner   Affiliation = "owner"
)

func (r Role) rank() int {
	switch r {
	case RoleNone:
		return 1
	case RoleVisitor:
		return 2
	case RoleParticipant:
		return 3
	case RoleModerator:
		return 4
	}
	return 0
}

// Valid reports whether r is one of the roles.
func (r Role) Valid() bool { return r.rank() > 0 }

// AtLeast reports whether r is o or a higher role.
func (r Role) AtLeast(o Role) bool { return r.rank() >= o.rank() }

func (a Affiliation) rank() int {
	switch a {
	case AffOutcast:
		return 1
	case AffNone:
		return 2
	case AffMember:
		return 3
	case AffAdmin:
		return 4
	case AffOwner:
		return 5
	}
	return 0
}

// Valid reports whether a is one of the affiliations.
func (a Affiliation) Valid() bool { return a.rank() > 0 }

// AtLeast reports whether a is o or a higher affiliation.
func (a Affiliation) AtLeast(o Affiliation) bool { return a.rank() >= o.rank() }

// DefaultRole returns the role on entering (XEP-0045 §5.1.2).
func DefaultRole(a Affiliation, moderated bool) Role {
	switch {
	case a == AffOutcast:
		return RoleNone
	case a.AtLeast(AffAdmin):
		return RoleModerator
	case a == AffMember || !moderated:
		return RoleParticipant
	}
	return RoleVisitor
}
