package faultnet

import (
	"errors"
	"slices"

	"github.com/dragoman-im/dragoman/transports"
)

func (w *World) describe(id transports.RoomID, user transports.UserID) (transports.RoomInfo, error) {
	p := w.channels[id]
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
	p := w.channels[room]
	if p == nil {
		return errNoRoom
	}
	change(&p.info)
	for s := range w.clients {
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

func (w *World) members(request transports.MemberRequest) (page transports.MemberPage, err error) {
	p := w.channels[request.Room]
	if p == nil {
		return page, errNoRoom
	}
	page.Total = len(p.members)
	for _, id := range slices.Sorted(slices.Values(p.members)) {
		if string(id) <= request.After {
			continue
		}
		if len(page.Members) == request.Limit {
			page.Next = string(page.Members[len(page.Members)-1].User.ID)
			break
		}
		page.Members = append(page.Members, transports.MemberInfo{User: w.users[id], Membership: transports.Joined, Badges: p.badges[id]})
	}
	return page, nil
}

// change changes a room.
func (w *World) change(user transports.UserID, c transports.Change) error {
	switch c.Kind {
	case transports.ChangeJoin, transports.ChangeLeave:
		return w.enter(c.Room, user, c.Kind == transports.ChangeJoin)
	case transports.ChangeTopic:
		return w.describeAs(c.Room, func(i *transports.RoomInfo) { i.Topic = c.Text })
	case transports.ChangeName:
		return w.describeAs(c.Room, func(i *transports.RoomInfo) { i.Name = c.Text })
	}
	return transports.Refuse("feature-not-implemented", "That cannot be changed here.", nil)
}

// enter joins or leaves; those who see the room get an event.
func (w *World) enter(room transports.RoomID, user transports.UserID, in bool) error {
	p := w.channels[room]
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
