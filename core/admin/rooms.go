package admin

import (
	"context"
	"errors"

	"github.com/dragoman-im/dragoman/core/jid"
)

// ErrNoRoom is returned if there is no such room.
var ErrNoRoom = errors.New("there is no such room")

// RoomKeeper keeps the rooms of a host.
type RoomKeeper interface {
	// RoomsAfter returns the rooms that follow an address, in order, and at most limit of them.
	RoomsAfter(ctx context.Context, after string, limit int) ([]RoomRow, error)
	// Room, ChangeRoom and DestroyRoom return ErrNoRoom.
	Room(ctx context.Context, at jid.JID) (Room, error)
	ChangeRoom(ctx context.Context, at jid.JID, r Room) error
	DestroyRoom(ctx context.Context, at, alternate jid.JID, reason string) error
}

// RoomRow is a room in a list.
type RoomRow struct {
	JID     jid.JID
	Name    string
	Creator jid.JID // zero: the account was deleted
	Kept    bool    // also when everybody has left
}

// Room is what administrators see and change of a room.
type Room struct {
	Name, Description                          string
	Listed, Persistent, MembersOnly, Moderated bool
	Owners                                     []jid.JID
	Occupants                                  int // not changed
}

// ListRooms returns the rooms that follow an address, in order, and at most limit of them.
func (s *Service) ListRooms(ctx context.Context, a Actor, after string, limit int) ([]RoomRow, error) {
	if err := s.mayManageRooms(a); err != nil {
		return nil, err
	}
	return s.Rooms.RoomsAfter(ctx, after, limit)
}

// Room returns a room.
func (s *Service) Room(ctx context.Context, a Actor, at jid.JID) (Room, error) {
	if err := s.mayManageRooms(a); err != nil {
		return Room{}, err
	}
	return s.Rooms.Room(ctx, at)
}

// ChangeRoom changes a room. Its owners become those that are given; who was one and is not given has no affiliation any more.
func (s *Service) ChangeRoom(ctx context.Context, a Actor, at jid.JID, r Room) error {
	err := s.mayManageRooms(a)
	if err == nil {
		err = s.Rooms.ChangeRoom(ctx, at, r)
	}
	s.audit(ctx, a, "change room", err, "room", at)
	return err
}

// DestroyRoom destroys a room. alternate, which may be zero, is the room to use instead.
func (s *Service) DestroyRoom(ctx context.Context, a Actor, at, alternate jid.JID, reason string) error {
	err := s.mayManageRooms(a)
	if err == nil {
		err = s.Rooms.DestroyRoom(ctx, at, alternate, reason)
	}
	s.audit(ctx, a, "destroy room", err, "room", at)
	return err
}

func (s *Service) mayManageRooms(a Actor) error {
	if s.Rooms == nil {
		return ErrNoRoom
	}
	return a.may(ManageRooms)
}
