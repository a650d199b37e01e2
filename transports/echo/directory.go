package echo

import (
	"errors"
	"slices"

	"github.com/dragoman-im/dragoman/transports"
)

func (w *World) describe(id transports.RoomID, user transports.UserID) (transports.RoomInfo, error) {
	p := w.places[id]
	if p == nil || p.info.Kind != transports.Public && !slices.Contains(p.members, user) {
		return transports.RoomInfo{}, errNoRoom
	}
	info := p.info
	info.Joined = slices.Contains(p.members, user)
	info.Writable, info.Members = info.Joined, len(p.members)
	info.Peer = w.event(p, transports.Event{}, user).Peer
	return info, nil
}

func (w *World) describeAs(room transports.RoomID, change func(*transports.RoomInfo)) error {
	p := w.places[room]
	if p == nil {
		return errNoRoom
	}
	change(&p.info)
	for s := range w.sessions {
		if info, err := w.describe(room, s.user); err == nil {
			e := transports.Event{Key: w.key(string(room) + "/info"), At: w.now(), Body: transports.RoomChanged{Info: info}}
			w.deliver(s, w.event(p, e, s.user))
		}
	}
	return nil
}

func (w *World) rooms(user transports.UserID) (list []transports.RoomInfo) {
	for _, id := range w.order {
		if info, err := w.describe(id, user); err == nil {
			list = append(list, info)
		}
	}
	return list
}

func (w *World) others(user transports.UserID) (list []transports.UserInfo) {
	for id, u := range w.users {
		if id != user {
			list = append(list, u)
		}
	}
	return list
}

func (w *World) members(room transports.RoomID, limit int) (list []transports.UserInfo, err error) {
	p := w.places[room]
	if p == nil {
		return nil, errNoRoom
	}
	for _, id := range p.members[:min(limit, len(p.members))] {
		list = append(list, w.users[id])
	}
	return list, nil
}

// enter joins or leaves; those who see the room are told.
func (w *World) enter(room transports.RoomID, user transports.UserID, in bool) error {
	p := w.places[room]
	if p == nil {
		return errNoRoom
	}
	e := transports.Event{Key: w.key("member/" + string(user)), Actor: user, Body: transports.Member{User: w.users[user], Joined: in}}
	if in && !slices.Contains(p.members, user) {
		p.members = append(p.members, user)
	}
	err := w.emit(room, e)
	if !in {
		p.members = slices.DeleteFunc(slices.Clone(p.members), func(u transports.UserID) bool { return u == user })
	}
	return err
}

func (w *World) user(id transports.UserID) (transports.UserInfo, error) {
	u, ok := w.users[id]
	if !ok {
		return u, transports.Refuse("item-not-found", "There is no such person.", errors.New(string(id)))
	}
	return u, nil
}
