package rooms

import (
	"context"

	"github.com/dragoman-im/dragoman/core/nick"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
)

// personaMark is behind the name of a persona, such as a webhook's, that has the name of somebody in the room.
const personaMark = " (app)"

// looks are the names of the members of a room.
type looks struct {
	of   map[string]bool // by skeleton
	read bool            // those that are stored are among them
}

// PersonaNick is the nick of a persona: its name, which is marked where it looks like that of a member of the
// room, or of another occupant. id is as convert.Addresses.Occupant gives it.
func (r *Room) PersonaNick(ctx context.Context, name, id string) string {
	if !r.looks.read {
		r.looks.read = true
		known, err := r.rooms.store.RoomMembers(ctx, r.conv.ID, r.rooms.env.Settings.Members)
		if err != nil {
			r.rooms.env.Log.Error("reading a room's members", "room", r.conv.Row.Net, "error", err)
		}
		for _, u := range known {
			r.NoteName(u)
		}
	}
	e := r.Engine()
	if r.looks.of[nick.Skeleton(name)] || e != nil && !e.NickIsFree(name, id) {
		return name + personaMark
	}
	return name
}

// NoteName notes the name of somebody who is in the room, for PersonaNick.
func (r *Room) NoteName(u transports.UserInfo) {
	if r.looks.of == nil {
		r.looks.of = map[string]bool{}
	}
	r.looks.of[nick.Skeleton(convert.DisplayName(u))] = true
}
