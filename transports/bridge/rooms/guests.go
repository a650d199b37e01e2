package rooms

import (
	"context"
	"slices"

	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/room/occupants"
)

// SetGuest shows somebody of a linked room in this one. Those who have not written for the longest time leave
// where there are too many.
func (r *Room) SetGuest(ctx context.Context, p occupants.Puppet) {
	e := r.Engine()
	if e == nil {
		return
	}
	p.Nick = r.PersonaNick(ctx, p.Nick, p.ID)
	if _, err := e.SetPuppet(ctx, p); err != nil {
		r.rooms.env.Log.Warn("showing somebody of a linked room", "room", r.conv.Row.Net, "error", err)
		return
	}
	r.guests = append(slices.DeleteFunc(r.guests, func(id string) bool { return id == p.ID }), p.ID)
	for len(r.guests) > r.rooms.env.Settings.Members {
		e.RemovePuppet(ctx, r.guests[0], room.Departure{Kind: room.Left})
		r.guests = r.guests[1:]
	}
}
