package bridge

import (
	"context"

	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// fillMembers puts the network's people into a room that has just been opened: as many
// as the network lists, or else those of whom we know.
func (w *worker) fillMembers(ctx context.Context, a *account) {
	if w.filled {
		return
	}
	w.filled = true
	known, err := w.g.store.RoomMembers(ctx, w.id, w.g.set.Members)
	if err != nil {
		w.g.log.Error("reading a room's members", "room", w.row.Net, "error", err)
	}
	if lister, ok := a.ready().(transports.MemberLister); ok && w.g.info.Caps.Members {
		asking, cancel := context.WithTimeout(ctx, lookupTimeout)
		list, err := listMembers(asking, lister, w.row.Net, w.g.set.Members)
		cancel()
		if err != nil {
			w.g.log.Warn("listing a room's members", "room", w.row.Net, "error", err)
		} else {
			known = w.keepMembers(ctx, list)
		}
	}
	for _, u := range known {
		w.setMember(ctx, u, "")
	}
}

func (w *worker) keepMembers(ctx context.Context, list []transports.UserInfo) []transports.UserInfo {
	b := &tables.Batch{}
	known := make([]transports.UserInfo, 0, len(list))
	for _, u := range list {
		if u.ID == "" || len(u.ID) > maxID || len(known) == w.g.set.Members {
			continue
		}
		u = clip(u)
		known = append(known, u)
		b.Rooms.Members = append(b.Rooms.Members, tables.Member{Room: w.id, User: u.ID})
	}
	b.Rooms.Puppets = known
	w.g.people.put(known...)
	if err := w.commit(ctx, b); err != nil && ctx.Err() == nil {
		w.g.log.Error("keeping a room's members", "room", w.row.Net, "error", err)
	}
	return known
}

// setMember shows somebody of the network in the room.
func (w *worker) setMember(ctx context.Context, u transports.UserInfo, persona string) {
	if w.room == nil {
		return
	}
	m := w.g.roomMember(u, persona)
	if persona == "" {
		w.occupants[m.ID] = u.ID
		if p, ok := w.g.presences.get(u.ID); ok {
			m.Show, m.Status = showOf(p.Show), cutBytes(p.Status, maxName)
		}
	}
	if _, err := w.room.SetPuppet(ctx, m); err != nil {
		w.g.log.Warn("showing a member", "room", w.row.Net, "error", err)
	}
}

// evictUser takes all sessions of an account's owner out of the room.
func (w *worker) evictUser(ctx context.Context, a *account, reason string) {
	if w.room == nil {
		return
	}
	if other, seen := w.accountFor(ctx, a.owner); other != nil && other != a && seen.Joined {
		return // there by another account too
	}
	for _, o := range w.room.Occupants() {
		for _, s := range o.Sessions {
			if s.Bare() == a.owner {
				w.room.RemoveSession(ctx, s, room.Departure{Kind: room.LostAffiliation, Reason: reason})
			}
		}
	}
	w.emptied()
}
