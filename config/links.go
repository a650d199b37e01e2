package config

import (
	"strconv"
	"strings"
)

// LinkedRoom is one [[linked_room]].
type LinkedRoom struct {
	Channel string `toml:"channel" doc:"Address of the channel at its gateway: c024be91l@slack.example.org."`
	Room    string `toml:"room" doc:"Address of the room: garden@conference.example.org. Its owners have to agree: they make the gateway a member of it."`
	Account string `toml:"account" doc:"Whose linked account writes to the channel: ann@example.org."`
	People  int    `toml:"people" doc:"How many people of the channel are in the room at most: those who wrote last. 0: 200."`
}

const maxLinkedPeople = 1000

// validateLinks checks that the rooms to be linked can be addresses.
func (c *Config) validateLinks(p *Problems) {
	seen := map[[2]string]bool{}
	for i, l := range c.LinkedRooms {
		path := "linked_room[" + strconv.Itoa(i) + "]"
		for _, a := range []struct{ field, value string }{{".channel", l.Channel}, {".room", l.Room}, {".account", l.Account}} {
			if local, domain, ok := strings.Cut(a.value, "@"); !ok || local == "" || domain == "" || strings.ContainsAny(domain, "@/") {
				p.add(path+a.field, "%q is not an address such as name@example.org", a.value)
			}
		}
		if l.People < 0 || l.People > maxLinkedPeople {
			p.add(path+".people", "want a number from 0 to %d", maxLinkedPeople)
		}
		if seen[[2]string{l.Channel, l.Room}] {
			p.add(path+".room", "%s is linked to %s already", l.Room, l.Channel)
		}
		seen[[2]string{l.Channel, l.Room}] = true
	}
}
