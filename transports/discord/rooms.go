package discord

import (
	"context"
	"net/http"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/content"
	"github.com/dragoman-im/dragoman/transports/discord/objects"
	"github.com/dragoman-im/dragoman/transports/discord/rest"
)

// room describes a channel.
func (s *client) room(c *objects.Channel) transports.RoomInfo {
	info := transports.RoomInfo{
		ID: transports.RoomID(c.ID), Kind: transports.Private, Name: c.Name, Topic: content.NewReader(s.state, c, nil).Parse(c.Topic).Styling(), Space: transports.SpaceID(c.GuildID),
		Group: s.state.GuildName(c.GuildID), Joined: true, Writable: true, Members: c.Members,
	}
	switch {
	case c.Type == objects.TypeDM && len(c.Recipients) > 0:
		info.Kind, info.Peer = transports.Direct, transports.UserID(c.Recipients[0].ID)
	case c.Type == objects.TypeDM:
		info.Kind = transports.Direct
	case c.GuildID != "":
		switch public, known := s.state.Public(c); {
		case !known:
			info.Kind = ""
		case public:
			info.Kind = transports.Public
		}
	}
	if c.IsThread() {
		if parent := s.state.Channel(c.ParentID); parent != nil {
			info.Name = parent.Name + " › " + c.Name
		}
		if c.Thread.Locked {
			info.Writable = false
		}
	}
	return info
}

// channelOf finds a channel, asking for one that is not known (a DM's first message, an old thread);
// nil without an error is one that the bot may not see.
func (s *client) channelOf(ctx context.Context, id string) (*objects.Channel, error) {
	if c := s.state.Channel(id); c != nil {
		return c, nil
	}
	if !content.IsSnowflake(id) || s.state.Doubted(id) {
		return nil, nil
	}
	c := &objects.Channel{}
	err := s.paced(ctx, rest.Get("/channels/{}", id), c)
	if c.ID == "" { // it cannot be read, and is the one that was asked for
		c.ID = id
	}
	switch {
	case transports.ClassOf(err) == transports.Refused || err == nil && (c.ID != id || c.Hidden()):
		s.state.Doubt(id)
		return nil, nil
	case err != nil:
		return nil, err
	}
	s.state.SetChannel(c)
	for i := range c.Recipients {
		s.state.SetMember("", &c.Recipients[i], "")
	}
	return c, nil
}

// place is channelOf for a call: what the bot does not see is an error.
func (s *client) visibleChannel(ctx context.Context, room transports.RoomID) (*objects.Channel, error) {
	id, err := checkRoom(room)
	if err != nil {
		return nil, err
	}
	c, err := s.channelOf(ctx, id)
	if err == nil && (c == nil || !c.Shown()) {
		err = transports.Refuse("item-not-found", "there is no such channel, or the bot does not see it", nil)
	}
	return c, err
}

// Room describes one room.
func (s *client) Room(ctx context.Context, room transports.RoomID) (transports.RoomInfo, error) {
	c, err := s.visibleChannel(ctx, room)
	if err != nil {
		return transports.RoomInfo{}, err
	}
	return s.room(c), nil
}

// Members lists the people of a channel's guild, or the two of a direct conversation.
func (s *client) Members(ctx context.Context, request transports.MemberRequest) (transports.MemberPage, error) {
	c, err := s.visibleChannel(ctx, request.Room)
	if err != nil {
		return transports.MemberPage{}, err
	}
	if c.GuildID != "" {
		return s.state.Members(c.GuildID, request), nil
	}
	page := transports.MemberPage{Total: len(c.Recipients)}
	for i := range c.Recipients {
		page.Members = append(page.Members, transports.MemberInfo{User: s.state.Shown(&c.Recipients[i], ""), Membership: transports.Joined})
	}
	return page, nil
}

// Profile reads one person's profile.
func (s *client) Profile(ctx context.Context, user transports.UserID) (transports.UserInfo, error) {
	id, err := checkUser(user)
	if err != nil {
		return transports.UserInfo{}, err
	}
	if info, ok := s.state.User(id); ok {
		return info, nil
	}
	var u objects.User
	if err := s.paced(ctx, rest.Get("/users/{}", id), &u); err != nil {
		return transports.UserInfo{}, err
	}
	info, _ := s.state.SetMember("", &u, "")
	return info, nil
}

// Direct opens the conversation of the bot and a person.
func (s *client) Direct(ctx context.Context, user transports.UserID) (transports.RoomID, error) {
	id, err := checkUser(user)
	if err != nil {
		return "", err
	}
	c := &objects.Channel{}
	r := rest.Request{Method: http.MethodPost, Route: "/users/@me/channels", Body: map[string]string{"recipient_id": id}}
	if err := s.api.Call(ctx, r, c); err != nil {
		return "", s.fault(err)
	}
	s.state.SetChannel(c)
	return transports.RoomID(c.ID), nil
}
