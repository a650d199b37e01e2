package rooms

import (
	"context"
	"slices"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Writable finds a room of the network that a login is in and may write to.
func (r *Rooms) Writable(ctx context.Context, l *logins.Login, id transports.RoomID) (room tables.Room, ok bool, err error) {
	room, ok, err = r.store.FindRoom(ctx, "", convert.RoomKey("", id, ""))
	if err != nil || !ok || room.Direct() {
		return room, false, err
	}
	seen, err := r.store.RoomLogins(ctx, room.ID)
	ok = slices.ContainsFunc(seen, func(v tables.Visibility) bool { return v.Login == l.ID && v.Joined && v.Writable })
	return room, ok, err
}
