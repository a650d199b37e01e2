package discord

import (
	"context"

	"github.com/bwmarrin/discordgo"

	"github.com/dragoman-im/dragoman/transports"
)

// shown tells whether a channel holds messages itself.
func shown(c *discordgo.Channel) bool {
	switch c.Type {
	case discordgo.ChannelTypeGuildCategory, discordgo.ChannelTypeGuildStore, discordgo.ChannelTypeGuildForum, discordgo.ChannelTypeGuildMedia, discordgo.ChannelTypeGuildDirectory:
		return false
	}
	return true
}

// room describes a channel.
func (s *session) room(c *discordgo.Channel) transports.RoomInfo {
	info := transports.RoomInfo{
		ID: transports.RoomID(c.ID), Kind: transports.Private, Name: c.Name, Topic: c.Topic, Space: transports.SpaceID(c.GuildID),
		Group: s.state.guildName(c.GuildID), Joined: true, Writable: true, Members: c.MemberCount,
	}
	switch {
	case c.Type == discordgo.ChannelTypeDM && len(c.Recipients) > 0:
		info.Kind, info.Peer = transports.Direct, transports.UserID(c.Recipients[0].ID)
	case c.Type == discordgo.ChannelTypeDM:
		info.Kind = transports.Direct
	case c.GuildID != "" && s.state.public(c):
		info.Kind = transports.Public
	}
	if c.IsThread() {
		if parent := s.state.channel(c.ParentID); parent != nil {
			info.Name = parent.Name + " › " + c.Name
		}
		if c.ThreadMetadata != nil && c.ThreadMetadata.Locked {
			info.Writable = false
		}
	}
	return info
}

// channelOf finds a channel, asking for one that is not known (a DM's first message, an old thread);
// nil without an error is one that the bot may not see.
func (s *session) channelOf(ctx context.Context, id string) (*discordgo.Channel, error) {
	if c := s.state.channel(id); c != nil {
		return c, nil
	}
	var c *discordgo.Channel
	err := s.asking(ctx, func(o discordgo.RequestOption) (err error) {
		c, err = s.rest.Channel(id, o)
		return err
	})
	if err != nil {
		if transports.ClassOf(err) == transports.Refused {
			return nil, nil
		}
		return nil, err
	}
	s.state.setChannel(c)
	for _, u := range c.Recipients {
		s.state.setMember("", u, "")
	}
	return c, nil
}

// Room describes one room.
func (s *session) Room(ctx context.Context, room transports.RoomID) (transports.RoomInfo, error) {
	id, err := checkRoom(room)
	if err != nil {
		return transports.RoomInfo{}, err
	}
	c, err := s.channelOf(ctx, id)
	if err != nil {
		return transports.RoomInfo{}, err
	}
	if c == nil || !shown(c) {
		return transports.RoomInfo{}, transports.Refuse("item-not-found", "there is no such channel, or the bot does not see it", nil)
	}
	return s.room(c), nil
}

// Rooms lists the channels of the bot's guilds.
func (s *session) Rooms(ctx context.Context, page func([]transports.RoomInfo) error) error {
	guilds, err := s.guilds(ctx)
	if err != nil {
		return err
	}
	for _, g := range guilds {
		var channels []*discordgo.Channel
		err := s.asking(ctx, func(o discordgo.RequestOption) (err error) {
			channels, err = s.rest.GuildChannels(g.ID, o)
			return err
		})
		if err != nil {
			return err
		}
		var rooms []transports.RoomInfo
		for _, c := range channels {
			c.GuildID = g.ID
			s.state.setChannel(c)
			if shown(c) {
				rooms = append(rooms, s.room(c))
			}
		}
		if err := s.threads(ctx, g.ID, &rooms); err != nil {
			return err
		}
		if len(rooms) > 0 {
			if err := page(rooms); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *session) threads(ctx context.Context, guildID string, rooms *[]transports.RoomInfo) error {
	var list *discordgo.ThreadsList
	err := s.asking(ctx, func(o discordgo.RequestOption) (err error) {
		list, err = s.rest.GuildThreadsActive(guildID, o)
		return err
	})
	if err != nil {
		if transports.ClassOf(err) == transports.Refused {
			return nil
		}
		return err
	}
	for _, c := range list.Threads {
		c.GuildID = guildID
		s.state.setChannel(c)
		*rooms = append(*rooms, s.room(c))
	}
	return nil
}

// guilds lists the bot's guilds with their roles, which tell who sees what.
func (s *session) guilds(ctx context.Context) ([]*discordgo.Guild, error) {
	var all []*discordgo.Guild
	after := ""
	for {
		var some []*discordgo.UserGuild
		err := s.asking(ctx, func(o discordgo.RequestOption) (err error) {
			some, err = s.rest.UserGuilds(200, "", after, false, o)
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, g := range some {
			var whole *discordgo.Guild
			err := s.asking(ctx, func(o discordgo.RequestOption) (err error) {
				whole, err = s.rest.Guild(g.ID, o)
				return err
			})
			if err != nil {
				return nil, err
			}
			s.state.setGuild(whole)
			all = append(all, whole)
			after = g.ID
		}
		if len(some) < 200 {
			return all, nil
		}
	}
}

// Contacts lists the members of the bot's guilds.
func (s *session) Contacts(ctx context.Context, page func([]transports.UserInfo) error) error {
	guilds, err := s.guilds(ctx)
	if err != nil {
		return err
	}
	for _, g := range guilds {
		after := ""
		for {
			var members []*discordgo.Member
			err := s.asking(ctx, func(o discordgo.RequestOption) (err error) {
				members, err = s.rest.GuildMembers(g.ID, after, 1000, o)
				return err
			})
			if err != nil {
				return err
			}
			var people []transports.UserInfo
			for _, m := range members {
				after = m.User.ID
				info := s.state.setMember(g.ID, m.User, m.Nick)
				if m.User.ID != s.cred.Bot {
					people = append(people, info)
				}
			}
			if len(people) > 0 {
				if err := page(people); err != nil {
					return err
				}
			}
			if len(members) < 1000 {
				break
			}
		}
	}
	return nil
}

// Spaces lists the guilds.
func (s *session) Spaces(ctx context.Context) ([]transports.SpaceInfo, error) {
	if known := s.state.spaces(); len(known) > 0 {
		return known, nil
	}
	if _, err := s.guilds(ctx); err != nil {
		return nil, err
	}
	return s.state.spaces(), nil
}

// Members lists the people of a channel's guild, or the two of a direct conversation.
func (s *session) Members(ctx context.Context, room transports.RoomID, limit int) ([]transports.UserInfo, error) {
	id, err := checkRoom(room)
	if err != nil {
		return nil, err
	}
	c, err := s.channelOf(ctx, id)
	if err != nil || c == nil {
		return nil, err
	}
	if c.GuildID == "" {
		var people []transports.UserInfo
		for _, u := range c.Recipients {
			people = append(people, person(u, ""))
		}
		return people, nil
	}
	return s.state.members(c.GuildID, limit), nil
}

// Profile reads one person's profile.
func (s *session) Profile(ctx context.Context, user transports.UserID) (transports.UserInfo, error) {
	id, err := checkUser(user)
	if err != nil {
		return transports.UserInfo{}, err
	}
	if info, ok := s.state.user(id); ok {
		return info, nil
	}
	var u *discordgo.User
	err = s.asking(ctx, func(o discordgo.RequestOption) (err error) {
		u, err = s.rest.User(id, o)
		return err
	})
	if err != nil {
		return transports.UserInfo{}, err
	}
	return s.state.setMember("", u, ""), nil
}

// Direct opens the conversation of the bot and a person.
func (s *session) Direct(ctx context.Context, user transports.UserID) (transports.RoomID, error) {
	id, err := checkUser(user)
	if err != nil {
		return "", err
	}
	c, err := s.rest.UserChannelCreate(id, discordgo.WithContext(ctx))
	if err != nil {
		return "", s.fault(err)
	}
	s.state.setChannel(c)
	return transports.RoomID(c.ID), nil
}
