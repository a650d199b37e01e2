package slack

import (
	"context"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// index finds what texts of ours name. It holds those whom cache holds.
type index struct{ people, rooms, groups richtext.Names }

// mentioned is a text of ours with mentions where it names people, channels or groups of the workspace.
func (s *client) mentioned(ctx context.Context, t richtext.Text) richtext.Text {
	if s.cred.User == "" { // a bot may alert everybody, whatever the person may
		t = t.Unasked()
	}
	s.knowGroups(ctx, t)
	return richtext.Mentions(t, "@#", func(sign byte, text string) (richtext.Node, int) {
		match := richtext.NewMatch(text)
		s.mu.Lock()
		defer s.mu.Unlock()
		if sign == '#' {
			s.index.rooms.Try(match, func(id string) bool { return s.rooms[id].Name != "" }, func(id string) richtext.Node {
				return richtext.Node{Kind: richtext.Channel, ID: string(roomID(s.cred.Team, id)), Text: s.rooms[id].Name}
			})
			return match.Found()
		}
		s.index.people.Try(match, func(id string) bool { return s.people[id].Name != "" }, func(id string) richtext.Node {
			return richtext.Node{Kind: richtext.Mention, ID: string(userID(s.cred.Team, id)), Text: s.people[id].Name}
		})
		s.index.groups.Try(match, nil, func(id string) richtext.Node {
			return richtext.Node{Kind: richtext.Group, ID: id, Text: s.groups[id].handle}
		})
		return match.Found()
	})
}

// putPerson keeps somebody. Who is deactivated is not found by name.
func (c *cache) putPerson(id string, info transports.UserInfo) {
	old, known := c.people[id]
	if !known && len(c.people) >= maxPeople {
		return
	}
	for _, name := range []string{old.Name, old.Handle} {
		c.index.people.Remove(name, id)
	}
	if c.people[id] = info; info.Gone {
		return
	}
	for _, name := range []string{info.Name, info.Handle} {
		c.index.people.Put(name, id)
	}
}

// putRoom keeps a room.
func (c *cache) putRoom(id string, info transports.RoomInfo) {
	old, known := c.rooms[id]
	if !known && len(c.rooms) >= maxRooms {
		return
	}
	c.index.rooms.Remove(old.Name, id)
	if c.rooms[id] = info; info.Kind == transports.Public || info.Kind == transports.Private {
		c.index.rooms.Put(info.Name, id)
	}
}

// dropRoom forgets a room.
func (c *cache) dropRoom(id string) {
	c.index.rooms.Remove(c.rooms[id].Name, id)
	delete(c.rooms, id)
}

// putGroups keeps the groups of users that there are now.
func (c *cache) putGroups(groups map[string]group) {
	c.groups, c.index.groups = groups, richtext.Names{}
	for id, g := range groups {
		c.index.groups.Put(g.handle, id)
	}
}
