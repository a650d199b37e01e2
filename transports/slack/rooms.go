package slack

import (
	"context"
	"slices"
	"strings"
	"time"

	slackgo "github.com/slack-go/slack"

	"github.com/dragoman-im/dragoman/transports"
)

// unseen is for how long we believe that a login does not see a channel.
const unseen = 10 * time.Minute

// typeScopes are the kinds of conversations, and the scope without which Slack refuses a list that asks for them.
var typeScopes = [][2]string{{"public_channel", "channels:read"}, {"private_channel", "groups:read"}, {"mpim", "mpim:read"}, {"im", "im:read"}}

// types are the kinds of conversations that this login's token may list.
func (s *client) types() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for _, t := range typeScopes {
		if !slices.Contains(s.missing, t[1]) {
			list = append(list, t[0])
		}
	}
	return list
}

// Rooms lists the conversations that the login is in, then the public channels that it could join.
func (s *client) Rooms(ctx context.Context, page func([]transports.RoomInfo) error) error {
	if len(s.types()) < len(typeScopes) { // scopes may have been added meanwhile
		if err := s.check(ctx); err != nil {
			return s.fault(err)
		}
	}
	types, cursor := s.types(), ""
	for len(types) > 0 {
		var channels []slackgo.Channel
		err := s.paced(ctx, func() (err error) {
			var next string
			channels, next, err = s.api.GetConversationsForUserContext(ctx, &slackgo.GetConversationsForUserParameters{
				Cursor: cursor, Types: types, Limit: 200, ExcludeArchived: true,
			})
			if err == nil {
				cursor = next
			}
			return err
		})
		if err != nil {
			return err
		}
		if err := s.page(channels, true, page); err != nil {
			return err
		}
		if cursor == "" {
			break
		}
	}
	for slices.Contains(types, "public_channel") {
		var channels []slackgo.Channel
		err := s.paced(ctx, func() (err error) {
			var next string
			channels, next, err = s.api.GetConversationsContext(ctx, &slackgo.GetConversationsParameters{
				Cursor: cursor, Types: []string{"public_channel"}, Limit: 200, ExcludeArchived: true,
			})
			if err == nil {
				cursor = next
			}
			return err
		})
		if err != nil {
			return err
		}
		if err := s.page(channels, false, page); err != nil || cursor == "" {
			return err
		}
	}
	return nil
}

// page hands on those that have not been shown by the first list.
func (s *client) page(channels []slackgo.Channel, mine bool, page func([]transports.RoomInfo) error) error {
	var rooms []transports.RoomInfo
	for _, c := range channels {
		if !mine && c.IsMember {
			continue
		}
		if mine {
			c.IsMember = true
		}
		info := s.room(c)
		s.rememberRoom(c.ID, info)
		rooms = append(rooms, info)
	}
	if len(rooms) == 0 {
		return nil
	}
	return page(rooms)
}

func (s *client) room(c slackgo.Channel) transports.RoomInfo {
	info := transports.RoomInfo{
		ID: roomID(s.cred.Team, c.ID), Kind: transports.Public, Name: c.Name, Topic: c.Topic.Value,
		Space: transports.SpaceID(strings.ToLower(s.cred.Team)), Group: s.cred.TeamName,
		Joined: c.IsMember, Writable: !c.IsArchived && !c.IsReadOnly, Members: c.NumMembers,
	}
	switch {
	case c.IsIM || direct(c.ID):
		info.Kind, info.Peer, info.Joined = transports.Direct, userID(s.cred.Team, c.User), true
	case c.IsPrivate || c.IsMpIM || c.IsGroup:
		info.Kind, info.Joined = transports.Private, true
	}
	return info
}

func (s *client) rememberRoom(id string, info transports.RoomInfo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.foreign, id)
	if len(s.rooms) < maxRooms {
		s.rooms[id] = info
	}
}

// Room describes one room.
func (s *client) Room(ctx context.Context, id transports.RoomID) (transports.RoomInfo, error) {
	channel, err := s.channelOf(id)
	if err != nil {
		return transports.RoomInfo{}, err
	}
	return s.lookup(ctx, channel)
}

func (s *client) lookup(ctx context.Context, channel string) (transports.RoomInfo, error) {
	var c *slackgo.Channel
	err := s.paced(ctx, func() (err error) {
		c, err = s.api.GetConversationInfoContext(ctx, &slackgo.GetConversationInfoInput{ChannelID: channel, IncludeNumMembers: true})
		return err
	})
	if err != nil {
		return transports.RoomInfo{}, err
	}
	info := s.room(*c)
	s.rememberRoom(channel, info)
	return info, nil
}

// sees finds the room of an event if this login is in it. Events of an app come once
// for all its logins.
func (s *client) sees(ctx context.Context, channel string) (transports.RoomInfo, bool, error) {
	if channel == "" {
		return transports.RoomInfo{}, false, nil
	}
	s.mu.Lock()
	info, known := s.rooms[channel]
	until := s.foreign[channel]
	s.mu.Unlock()
	if known && info.Joined {
		return info, true, nil
	}
	if time.Now().Before(until) {
		return info, false, nil
	}
	info, err := s.lookup(ctx, channel)
	switch {
	case err == nil && info.Joined:
		return info, true, nil
	case err != nil && transports.ClassOf(err) == transports.Retry:
		return info, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.foreign) >= maxRooms {
		clear(s.foreign)
	}
	s.foreign[channel] = time.Now().Add(unseen)
	return info, false, nil
}

// forget makes the next event of a channel look it up again.
func (s *client) forget(channel string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.rooms, channel)
	delete(s.foreign, channel)
}

// Members lists who is in a room.
func (s *client) Members(ctx context.Context, request transports.MemberRequest) (transports.MemberPage, error) {
	channel, err := s.channelOf(request.Room)
	if err != nil {
		return transports.MemberPage{}, err
	}
	var ids []string
	page := transports.MemberPage{}
	err = s.paced(ctx, func() (err error) {
		ids, page.Next, err = s.api.GetUsersInConversationContext(ctx, &slackgo.GetUsersInConversationParameters{
			ChannelID: channel, Cursor: request.After, Limit: min(request.Limit, 200),
		})
		return err
	})
	if err != nil {
		return transports.MemberPage{}, err
	}
	for _, id := range ids {
		s.mu.Lock()
		info, ok := s.people[id]
		page.Total = s.rooms[channel].Members
		s.mu.Unlock()
		if !ok {
			if info, err = s.Profile(ctx, userID(s.cred.Team, id)); err != nil {
				if transports.ClassOf(err) != transports.Refused {
					return transports.MemberPage{}, err
				}
				continue
			}
		}
		page.Members = append(page.Members, transports.MemberInfo{User: info, Membership: transports.Joined})
	}
	return page, nil
}

// Direct opens the conversation with a person.
func (s *client) Direct(ctx context.Context, user transports.UserID) (transports.RoomID, error) {
	id, ok := slackID(s.cred.Team, user)
	if !ok {
		return "", transports.Refuse("item-not-found", "there is no such person in this workspace", nil)
	}
	c, _, _, err := s.api.OpenConversationContext(ctx, &slackgo.OpenConversationParameters{Users: []string{id}, ReturnIM: true})
	if err != nil {
		return "", s.fault(err)
	}
	c.IsIM, c.User = true, id
	s.rememberRoom(c.ID, s.room(*c))
	return roomID(s.cred.Team, c.ID), nil
}

// Apply enters a public channel, or leaves a channel.
func (s *client) Apply(ctx context.Context, change transports.Change) (transports.Applied, error) {
	channel, err := s.channelOf(change.Room)
	if err != nil {
		return transports.Applied{}, err
	}
	switch change.Kind {
	case transports.ChangeJoin:
		_, _, _, err = s.api.JoinConversationContext(ctx, channel)
	case transports.ChangeLeave:
		_, err = s.api.LeaveConversationContext(ctx, channel)
	default:
		return transports.Applied{}, transports.Refuse("feature-not-implemented", "this cannot be changed on Slack from here", nil)
	}
	if err != nil {
		return transports.Applied{}, s.fault(err)
	}
	s.forget(channel)
	return transports.Applied{}, nil
}

func (s *client) channelOf(room transports.RoomID) (string, error) {
	channel, ok := slackID(s.cred.Team, room)
	if !ok {
		return "", transports.Refuse("item-not-found", "there is no such channel in this workspace", nil)
	}
	return channel, nil
}
