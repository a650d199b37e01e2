package slack

import (
	"context"

	slackgo "github.com/slack-go/slack"

	"github.com/dragoman-im/dragoman/transports"
)

// slackbot is Slack's own user, whom nobody can write to by the API.
const slackbot = "USLACKBOT"

// Contacts lists the people of the workspace.
func (s *client) Contacts(ctx context.Context, page func([]transports.UserInfo) error) error {
	list := s.api.GetUsersPaginated(slackgo.GetUsersOptionLimit(200))
	for {
		err := s.paced(ctx, func() error {
			next, err := list.Next(ctx)
			if err == nil || list.Done(err) {
				list = next
			}
			if list.Done(err) {
				return nil
			}
			return err
		})
		if err != nil {
			return err
		}
		var people []transports.UserInfo
		for _, u := range list.Users {
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
		if list.Cursor == "" {
			return nil
		}
	}
}

// Profile reads one person's profile.
func (s *client) Profile(ctx context.Context, user transports.UserID) (transports.UserInfo, error) {
	id, ok := slackID(s.cred.Team, user)
	if !ok {
		return transports.UserInfo{}, transports.Refuse("item-not-found", "there is no such person in this workspace", nil)
	}
	var u *slackgo.User
	err := s.paced(ctx, func() (err error) {
		u, err = s.api.GetUserInfoContext(ctx, id)
		return err
	})
	if err != nil {
		return transports.UserInfo{}, err
	}
	info := s.person(*u)
	s.remember(id, info)
	return info, nil
}

func (s *client) person(u slackgo.User) transports.UserInfo {
	raw := rawUser{ID: u.ID, Name: u.Name, RealName: u.RealName, Deleted: u.Deleted, IsBot: u.IsBot}
	raw.Profile.DisplayName, raw.Profile.RealName, raw.Profile.Email = u.Profile.DisplayName, u.Profile.RealName, u.Profile.Email
	raw.Profile.Phone, raw.Profile.Title = u.Profile.Phone, u.Profile.Title
	raw.Profile.AvatarHash, raw.Profile.Image192 = u.Profile.AvatarHash, u.Profile.Image192
	return s.rawPerson(raw)
}

func (s *client) rawPerson(u rawUser) transports.UserInfo {
	name := u.Profile.DisplayName
	for _, other := range []string{u.Profile.RealName, u.RealName, u.Name, u.ID} {
		if name == "" {
			name = other
		}
	}
	return transports.UserInfo{
		ID: userID(s.cred.Team, u.ID), Name: name, Handle: u.Name, Email: u.Profile.Email, Phone: u.Profile.Phone, Title: u.Profile.Title,
		Avatar: u.Profile.Image192, AvatarKey: u.Profile.AvatarHash, Bot: u.IsBot, Gone: u.Deleted, Group: s.cred.TeamName,
	}
}

func (s *client) remember(id string, info transports.UserInfo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.people) < maxPeople {
		s.people[id] = info
	}
}

// name is what is known of somebody's name without asking; "" where it is not.
func (s *client) name(id string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.people[id].Name
}
