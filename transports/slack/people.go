package slack

import (
	"context"
	"net/url"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/slack/content"
	"github.com/dragoman-im/dragoman/transports/slack/webapi"
)

// pageSize is how many entries of a list are asked for at once (docs: Pagination).
const pageSize = "200"

// slackbot is Slack's own user, whom nobody can write to by the API.
const slackbot = "USLACKBOT"

// Contacts lists the people of the workspace.
func (s *client) Contacts(ctx context.Context, page func([]transports.UserInfo) error) error {
	args := url.Values{"limit": {pageSize}}
	for {
		var list struct {
			Members []rawUser `json:"members"`
			webapi.Page
		}
		if err := s.paced(ctx, "users.list", args, &list); err != nil {
			return err
		}
		var people []transports.UserInfo
		for _, u := range list.Members {
			if u.ID == "" {
				continue
			}
			info := s.person(u)
			s.remember(u.ID, info)
			if u.ID != slackbot && u.ID != s.cred.Self && u.ID != s.cred.BotUser {
				people = append(people, info)
			}
		}
		if len(people) > 0 {
			if err := page(people); err != nil {
				return err
			}
		}
		if list.Next() == "" || list.Next() == args.Get("cursor") {
			return nil
		}
		args.Set("cursor", list.Next())
	}
}

// Profile reads one person's profile.
func (s *client) Profile(ctx context.Context, user transports.UserID) (transports.UserInfo, error) {
	id, ok := slackID(s.cred.Team, user)
	if !ok {
		return transports.UserInfo{}, transports.Refuse("item-not-found", "there is no such person in this workspace", nil)
	}
	var answer struct {
		User rawUser `json:"user"`
	}
	if err := s.paced(ctx, "users.info", url.Values{"user": {id}}, &answer); err != nil {
		return transports.UserInfo{}, err
	}
	answer.User.ID = id
	info := s.person(answer.User)
	s.remember(id, info)
	return info, nil
}

func (s *client) person(u rawUser) transports.UserInfo {
	s.noteRank(u)
	name := u.Profile.DisplayName
	for _, other := range []string{u.Profile.RealName, u.RealName, u.Name, u.ID} {
		if name == "" {
			name = other
		}
	}
	return transports.UserInfo{
		ID: userID(s.cred.Team, u.ID), Name: content.Unescape(name), Handle: u.Name, Email: u.Profile.Email, Phone: content.Unescape(u.Profile.Phone), Title: content.Emojis(content.Unescape(u.Profile.Title)),
		Avatar: u.Profile.Image192, AvatarKey: u.Profile.AvatarHash, Bot: u.IsBot, Gone: u.Deleted, Group: s.cred.TeamName,
	}
}

// noteRank notes what somebody is in the workspace, if that is not a member.
func (s *client) noteRank(u rawUser) {
	var b transports.Badge
	switch {
	case u.IsOwner:
		b = transports.Badge{ID: "owner", Title: "Workspace owner"}
	case u.IsAdmin:
		b = transports.Badge{ID: "admin", Title: "Workspace admin"}
	case u.IsGuest:
		b = transports.Badge{ID: "guest", Title: "Guest"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case b.ID == "":
		delete(s.ranks, u.ID)
	case len(s.ranks) < maxPeople:
		s.ranks[u.ID] = b
	}
}

func (s *client) remember(id string, info transports.UserInfo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.putPerson(id, info)
}

// name is what is known of somebody's name without asking; "" where it is not.
func (s *client) name(id string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.people[id].Name
}
