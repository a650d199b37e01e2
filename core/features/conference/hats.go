package conference

import (
	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/room/hats"
)

var _ room.Commander = (*owner)(nil)

// Commands implements room.Commander: owners and admins manage the hats of a room (XEP-0317).
func (o *owner) Commands(r *room.Room) *command.Engine {
	if o.commands == nil {
		o.commands = command.NewEngine(command.Limits{}, nil)
		for _, c := range hats.Commands(r) {
			o.commands.Add(c)
		}
	}
	return o.commands
}
