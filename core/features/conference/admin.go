package conference

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/dragoman-im/dragoman/core/admin"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/paging"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/room/affiliations"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/rooms"
)

var _ admin.RoomKeeper = (*Service)(nil)

// RoomsAfter implements admin.RoomKeeper.
func (s *Service) RoomsAfter(ctx context.Context, after string, limit int) ([]admin.RoomRow, error) {
	rows, _, err := s.Lists.Rooms(ctx, s.Domain(), true, paging.Request{Max: limit, After: after, Index: -1})
	if err != nil {
		return nil, err
	}
	list := make([]admin.RoomRow, len(rows))
	for i, r := range rows {
		list[i] = admin.RoomRow{JID: r.JID, Name: r.Name, Creator: r.Creator, Kept: r.Kept}
	}
	return list, nil
}

// call runs f with a room of the service.
func (s *Service) call(ctx context.Context, at jid.JID, f func(ctx context.Context, r *room.Room) error) error {
	if at.Domain() != s.Domain().Domain() || at.Local() == "" {
		return admin.ErrNoRoom
	}
	select {
	case <-s.started:
	case <-ctx.Done():
		return ctx.Err()
	}
	err := s.rooms.Call(ctx, at.Bare(), f)
	if errors.Is(err, rooms.ErrNoRoom) {
		return admin.ErrNoRoom
	}
	return err
}

// Room implements admin.RoomKeeper.
func (s *Service) Room(ctx context.Context, at jid.JID) (r admin.Room, err error) {
	err = s.call(ctx, at, func(_ context.Context, x *room.Room) error {
		r = describe(x)
		return nil
	})
	return r, err
}

func describe(x *room.Room) admin.Room {
	kept := x.Snapshot()
	c := kept.Config
	r := admin.Room{
		Name: kept.Info.Name, Description: kept.Info.Description, Listed: c.Listed, Persistent: c.Persistent, MembersOnly: c.MembersOnly,
		Moderated: c.Moderated, Occupants: len(x.Occupants()),
	}
	for j, e := range kept.Affiliations {
		if e.Affiliation == rules.AffOwner {
			r.Owners = append(r.Owners, j)
		}
	}
	slices.SortFunc(r.Owners, func(a, b jid.JID) int { return strings.Compare(a.String(), b.String()) })
	return r
}

// ChangeRoom implements admin.RoomKeeper. Owners are appointed before others lose their affiliation.
func (s *Service) ChangeRoom(ctx context.Context, at jid.JID, r admin.Room) error {
	return s.call(ctx, at, func(ctx context.Context, x *room.Room) error {
		old := describe(x)
		for _, j := range r.Owners {
			if !slices.Contains(old.Owners, j) {
				if err := x.SetAffiliation(ctx, j, affiliations.Entry{Affiliation: rules.AffOwner}); err != nil {
					return err
				}
			}
		}
		for _, j := range old.Owners {
			if !slices.Contains(r.Owners, j) {
				if err := x.SetAffiliation(ctx, j, affiliations.Entry{Affiliation: rules.AffNone}); err != nil {
					return err
				}
			}
		}
		info, c := x.Info(), x.Config()
		info.Name, info.Description = r.Name, r.Description
		c.Listed, c.Persistent, c.MembersOnly, c.Moderated = r.Listed, r.Persistent, r.MembersOnly, r.Moderated
		return x.Configure(ctx, info, c)
	})
}

// DestroyRoom implements admin.RoomKeeper.
func (s *Service) DestroyRoom(ctx context.Context, at, alternate jid.JID, reason string) error {
	return s.call(ctx, at, func(ctx context.Context, x *room.Room) error { return x.Destroy(ctx, alternate, reason) })
}
