package rooms

import (
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
)

// Person is somebody of the network whom a message in this conversation refers to: an occupant, by occupant id, nickname or address; a
// contact; or the user of a login of somebody who sees the room.
func (r *Room) Person(to convert.Referred) (transports.UserID, bool) {
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
	for id := range r.viewers {
		if l := r.rooms.logins.ByID(id); l != nil && l.Owner == j.Bare() && l.User != "" {
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
