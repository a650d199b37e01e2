package room

import (
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/rules"
)

// OccupantID returns the id that the room derives from a text, such as an address (XEP-0421 §4.1).
func (r *Room) OccupantID(of string) string { return r.derive(of) }

// Outside returns what the room knows of an account, by its bare JID, that may have no session in it, and whether it may enter without being
// asked for a password.
func (r *Room) Outside(who jid.JID) (o Occupant, mayEnter bool) {
	o = Occupant{ID: r.occupantID(who), Nick: r.nickOf(who), JID: who, Affiliation: r.lists.Of(who)}
	switch {
	case o.Affiliation == rules.AffOutcast || r.config.Locked && o.Affiliation != rules.AffOwner:
		return o, false
	case o.Affiliation.AtLeast(rules.AffMember):
		return o, true
	}
	return o, !r.config.MembersOnly && r.config.Password == ""
}
