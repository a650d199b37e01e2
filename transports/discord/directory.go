package discord

import (
	"context"
	"net/url"
	"strconv"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/content"
	"github.com/dragoman-im/dragoman/transports/discord/objects"
	"github.com/dragoman-im/dragoman/transports/discord/rest"
)

// Sizes of pages (docs: Get Current User Guilds, List Guild Members).
const (
	guildPage  = 200
	memberPage = 1000
)

// Rooms lists the channels of the bot's guilds.
func (s *client) Rooms(ctx context.Context, page func([]transports.RoomInfo) error) error {
	return s.eachGuild(ctx, func(id string) error {
		var channels []*objects.Channel
		if err := s.paced(ctx, rest.Get("/guilds/{}/channels", id), &channels); err != nil {
			return err
		}
		var rooms []transports.RoomInfo
		seen := map[string]bool{}
		for _, c := range channels { // all of them before any is described: a thread's name has its parent's
			c.GuildID = id
			if !c.Hidden() {
				s.state.SetChannel(c)
				seen[c.ID] = true
			}
		}
		for _, c := range channels {
			if c.Shown() {
				rooms = append(rooms, s.room(c))
			}
		}
		var list objects.Threads
		if err := s.paced(ctx, rest.Get("/guilds/{}/threads/active", id), &list); err != nil && transports.ClassOf(err) != transports.Refused {
			return err
		}
		for _, c := range list.Threads {
			c.GuildID = id
			if seen[c.ParentID] {
				s.state.SetChannel(c)
				rooms = append(rooms, s.room(c))
			}
		}
		if len(rooms) == 0 {
			return nil
		}
		return page(rooms)
	})
}

// eachGuild goes through the bot's guilds. Their roles are read first: who sees what depends on them.
func (s *client) eachGuild(ctx context.Context, do func(id string) error) error {
	after := ""
	for {
		r := rest.Get("/users/@me/guilds")
		r.Query = url.Values{"limit": {strconv.Itoa(guildPage)}}
		if after != "" {
			r.Query.Set("after", after)
		}
		before := after
		var some []struct {
			ID string `json:"id"`
		}
		if err := s.paced(ctx, r, &some); err != nil {
			return err
		}
		for _, g := range some {
			if !content.IsSnowflake(g.ID) {
				continue
			}
			after = g.ID
			whole := &objects.Guild{}
			err := s.paced(ctx, rest.Get("/guilds/{}", g.ID), whole)
			if transports.ClassOf(err) == transports.Refused {
				continue // left meanwhile
			}
			if err != nil {
				return err
			}
			whole.ID = g.ID
			s.state.SetGuild(whole)
			if err := do(g.ID); err != nil {
				return err
			}
		}
		if len(some) < guildPage || after == before {
			return nil
		}
	}
}

// Contacts lists the members of the bot's guilds.
func (s *client) Contacts(ctx context.Context, page func([]transports.UserInfo) error) error {
	return s.eachGuild(ctx, func(id string) error {
		for after := ""; ; {
			r := rest.Get("/guilds/{}/members", id)
			r.Query = url.Values{"limit": {strconv.Itoa(memberPage)}}
			if after != "" {
				r.Query.Set("after", after)
			}
			var members []objects.Member
			if err := s.paced(ctx, r, &members); err != nil {
				return err
			}
			var people []transports.UserInfo
			before := after
			for _, m := range members {
				if m.User == nil || !content.IsSnowflake(m.User.ID) {
					continue
				}
				after = m.User.ID
				s.state.SetMemberRoles(id, m.User.ID, m.Roles)
				info, _ := s.state.SetMember(id, m.User, m.Nick)
				if m.User.ID != s.cred.Bot {
					people = append(people, info)
				}
			}
			if len(people) > 0 {
				if err := page(people); err != nil {
					return err
				}
			}
			if len(members) < memberPage || after == before {
				return nil
			}
		}
	})
}

// Spaces lists the guilds.
func (s *client) Spaces(ctx context.Context) ([]transports.SpaceInfo, error) {
	if known := s.state.Spaces(); len(known) > 0 {
		return known, nil
	}
	if err := s.eachGuild(ctx, func(string) error { return nil }); err != nil {
		return nil, err
	}
	return s.state.Spaces(), nil
}
