package slack

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/slack/content"
	"github.com/dragoman-im/dragoman/transports/slack/webapi"
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
	types := s.types()
	if len(types) == 0 {
		return nil
	}
	args := url.Values{"types": {strings.Join(types, ",")}, "limit": {pageSize}, "exclude_archived": {"true"}}
	err := s.channels(ctx, "users.conversations", args, func(some []rawChannel) error { return s.page(some, true, page) })
	if err != nil || !slices.Contains(types, "public_channel") {
		return err
	}
	args = url.Values{"types": {"public_channel"}, "limit": {pageSize}, "exclude_archived": {"true"}}
	return s.channels(ctx, "conversations.list", args, func(some []rawChannel) error { return s.page(some, false, page) })
}

// channels reads a list of channels page by page.
func (s *client) channels(ctx context.Context, method string, args url.Values, page func([]rawChannel) error) error {
	for {
		var list struct {
			Channels []rawChannel `json:"channels"`
			webapi.Page
		}
		if err := s.paced(ctx, method, args, &list); err != nil {
			return err
		}
		if err := page(list.Channels); err != nil {
			return err
		}
		if list.Next() == "" || list.Next() == args.Get("cursor") {
			return nil
		}
		args.Set("cursor", list.Next())
	}
}

// page hands on those that have not been shown by the first list.
func (s *client) page(channels []rawChannel, mine bool, page func([]transports.RoomInfo) error) error {
	var rooms []transports.RoomInfo
	for _, c := range channels {
		if c.ID == "" || !mine && c.IsMember {
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

func (s *client) room(c rawChannel) transports.RoomInfo {
	info := transports.RoomInfo{
		ID: roomID(s.cred.Team, c.ID), Kind: transports.Public, Name: content.Unescape(c.Name), Topic: s.topic(c),
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

// topic is the topic of a channel as a message is shown, or its purpose where it has none.
func (s *client) topic(c rawChannel) string {
	return s.reader().Parse(cmp.Or(c.Topic.Value, c.Purpose.Value)).Styling()
}

func (s *client) rememberRoom(id string, info transports.RoomInfo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.foreign, id)
	s.putRoom(id, info)
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
	args := url.Values{"channel": {channel}, "include_num_members": {"true"}}
	var answer struct {
		Channel rawChannel `json:"channel"`
	}
	if err := s.paced(ctx, "conversations.info", args, &answer); err != nil {
		return transports.RoomInfo{}, err
	}
	answer.Channel.ID = channel
	info := s.room(answer.Channel)
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
	s.dropRoom(channel)
	delete(s.foreign, channel)
}

// Members lists who is in a room.
func (s *client) Members(ctx context.Context, request transports.MemberRequest) (transports.MemberPage, error) {
	channel, err := s.channelOf(request.Room)
	if err != nil {
		return transports.MemberPage{}, err
	}
	args := url.Values{"channel": {channel}, "limit": {strconv.Itoa(min(request.Limit, 200))}}
	if request.After != "" {
		args.Set("cursor", request.After)
	}
	var list struct {
		Members []string `json:"members"`
		webapi.Page
	}
	if err := s.paced(ctx, "conversations.members", args, &list); err != nil {
		return transports.MemberPage{}, err
	}
	page := transports.MemberPage{Next: list.Next()}
	for _, id := range list.Members {
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
		m := transports.MemberInfo{User: info, Membership: transports.Joined}
		s.mu.Lock()
		if b, ok := s.ranks[id]; ok {
			m.Badges = []transports.Badge{b}
		}
		s.mu.Unlock()
		page.Members = append(page.Members, m)
	}
	return page, nil
}

// Direct opens the conversation with a person.
func (s *client) Direct(ctx context.Context, user transports.UserID) (transports.RoomID, error) {
	id, ok := slackID(s.cred.Team, user)
	if !ok {
		return "", transports.Refuse("item-not-found", "there is no such person in this workspace", nil)
	}
	var answer struct {
		Channel rawChannel `json:"channel"`
	}
	if err := s.call(ctx, "conversations.open", url.Values{"users": {id}, "return_im": {"true"}}, &answer); err != nil {
		return "", err
	}
	c := answer.Channel
	if c.ID == "" {
		return "", classify(fmt.Errorf("conversations.open: %w", webapi.ErrNonsense))
	}
	c.IsIM, c.User = true, id
	s.rememberRoom(c.ID, s.room(c))
	return roomID(s.cred.Team, c.ID), nil
}

// Apply enters a public channel, leaves a channel or changes its topic.
func (s *client) Apply(ctx context.Context, change transports.Change) (transports.Applied, error) {
	channel, err := s.channelOf(change.Room)
	if err != nil {
		return transports.Applied{}, err
	}
	switch change.Kind {
	case transports.ChangeJoin:
		err = s.call(ctx, "conversations.join", url.Values{"channel": {channel}}, nil)
	case transports.ChangeLeave:
		err = s.call(ctx, "conversations.leave", url.Values{"channel": {channel}}, nil)
	case transports.ChangeTopic:
		err = s.setTopic(ctx, channel, change.Text)
	default:
		return transports.Applied{}, transports.Refuse("feature-not-implemented", "this cannot be changed on Slack from here", nil)
	}
	if err != nil {
		return transports.Applied{}, err
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
