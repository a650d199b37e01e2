package config

import (
	"slices"
	"strings"
)

// roomNotifications are the values of push.rooms.
var roomNotifications = []string{"automatic", "always", "on-mention", "never"}

// Push is section [push].
type Push struct {
	Devices  int    `toml:"devices" doc:"Push services that one account may enable."`
	Errors   int    `toml:"errors" doc:"Errors in a row after which a push service is disabled; between them it is left alone for longer and longer."`
	Contents bool   `toml:"contents" doc:"Whether notifications contain the sender and the text of the last message. They pass through servers of the makers of clients and phones."`
	Rooms    string `toml:"rooms" doc:"Of which messages of rooms accounts are notified that have set nothing for a room in their client: always, on-mention, never, or automatic: of all messages where not everybody may enter the room, else of those that mention them."`
	Accounts int    `toml:"accounts" doc:"Accounts that are notified of one message of a room."`
}

func (c *Push) validate(p *Problems) {
	positive(p, "push.devices", int64(c.Devices))
	positive(p, "push.errors", int64(c.Errors))
	positive(p, "push.accounts", int64(c.Accounts))
	if !slices.Contains(roomNotifications, c.Rooms) {
		p.add("push.rooms: %q is none of %s", c.Rooms, strings.Join(roomNotifications, ", "))
	}
}
