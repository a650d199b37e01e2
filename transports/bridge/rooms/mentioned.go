package rooms

import (
	"slices"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
)

// Person is somebody of the network whom a message in this conversation refers to: an occupant, by occupant id, nickname or address; a
// contact; or the sender, by their own address. Others are not found by the address of their account, unless the room shows it:
// whoever named one would learn which account on the network belongs to it. self is the sender's login; nil where the sender has
// none and is not in the room.
func (r *Room) Person(self *logins.Login, to convert.Referred) (transports.UserID, bool) {
	if to.Occupant != "" {
		user, ok := r.occupants[to.Occupant]
		return user, ok
	}
	if to.Nick != "" {
		return r.named(to.Nick)
	}
	j, err := jid.Parse(to.Address)
	switch {
	case err != nil:
		return "", false
	case j.Bare() == r.jid && !r.jid.IsZero():
		return r.named(j.Resource())
	case j.Domain() == r.rooms.address.Domain.Domain():
		return r.contact(j)
	}
	switch {
	case self == nil:
		return "", false
	case self.Owner == j.Bare():
		return self.User, self.User != ""
	}
	return r.entered(j)
}

// entered is the user of an account that is in the room, where everybody in it sees the accounts of occupants.
func (r *Room) entered(j jid.JID) (transports.UserID, bool) {
	e := r.Engine()
	if e == nil || !r.config().NonAnonymous() {
		return "", false
	}
	for _, l := range r.rooms.logins.Of(j) {
		o, in := e.Occupant(r.rooms.address.Occupant(l.User, ""))
		if in && slices.ContainsFunc(o.Sessions, func(s jid.JID) bool { return s.Bare() == j.Bare() }) {
			return l.User, true
		}
	}
	return "", false
}

// named is who has a nickname in the room.
func (r *Room) named(nick string) (transports.UserID, bool) {
	e := r.Engine()
	if e == nil || nick == "" {
		return "", false
	}
	o, ok := e.ByNick(nick)
	if !ok {
		return "", false
	}
	user, ok := r.occupants[o.ID]
	return user, ok
}

// contact is the person whose contact has an address: one in the room, or who is known.
func (r *Room) contact(j jid.JID) (transports.UserID, bool) {
	user := transports.UserID(convert.NetworkID(j))
	if _, here := r.occupants[r.rooms.address.Occupant(user, "")]; here || user == r.conv.Row.Peer && user != "" {
		return user, true
	}
	_, known := r.rooms.people.Cached(user)
	return user, known
}
