package discord

import (
	"context"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/objects"
)

// onMember takes in somebody who is new in a guild, or has changed.
func (s *client) onMember(ctx context.Context, n *gatewayEvent) error {
	m, ok := decode[objects.Member](s, n)
	if !ok || m.User == nil {
		return nil
	}
	s.state.SetMemberRoles(m.GuildID, m.User.ID, m.Roles)
	info, changed := s.state.SetMember(m.GuildID, m.User, m.Nick)
	if m.User.ID == s.cred.Bot || !changed {
		return nil
	}
	s.contact(ctx, n, n.key, info)
	return nil
}

func (s *client) contact(ctx context.Context, n *gatewayEvent, key string, info transports.UserInfo) {
	s.post(ctx, n, transports.Event{Key: key, At: time.Now().UTC(), Body: transports.Contact{Info: info}})
}

func (s *client) onMemberRemove(ctx context.Context, n *gatewayEvent) error {
	m, ok := decode[objects.Member](s, n)
	if !ok || m.User == nil {
		return nil
	}
	s.state.DropMember(m.GuildID, m.User.ID)
	for _, c := range s.state.ChannelsOf(m.GuildID) {
		if !c.Shown() || c.IsThread() {
			continue
		}
		e := s.event(c, n.key+"/"+c.ID, m.User.ID, time.Now().UTC())
		e.Body = transports.Member{User: s.state.Shown(m.User, m.Nick)}
		s.post(ctx, n, e)
	}
	return nil
}

func (s *client) onTyping(ctx context.Context, n *gatewayEvent) error {
	t, ok := decode[objects.Typing](s, n)
	if !ok || t.UserID == s.cred.Bot {
		return nil
	}
	c := s.state.Channel(t.ChannelID)
	if c == nil {
		return nil
	}
	e := s.event(c, "", t.UserID, time.Now().UTC())
	e.Body = transports.Typing{On: true}
	s.post(ctx, n, e)
	return nil
}

func (s *client) onPresence(ctx context.Context, n *gatewayEvent) error {
	p, ok := decode[objects.Presence](s, n)
	if !ok {
		return nil
	}
	s.presence(ctx, n, p)
	return nil
}

func (s *client) presence(ctx context.Context, n *gatewayEvent, p *objects.Presence) {
	if p.User == nil || p.User.ID == s.cred.Bot {
		return
	}
	info := transports.PresenceInfo{User: transports.UserID(p.User.ID), Show: transports.Offline}
	switch p.Status {
	case "online":
		info.Show = transports.Available
	case "idle":
		info.Show = transports.Away
	case "dnd":
		info.Show = transports.Busy
	}
	for _, a := range p.Activities {
		if a.Type == objects.ActivityCustom {
			info.Status = strings.TrimSpace(emojiName(a.Emoji) + " " + a.State)
			break
		}
		if info.Status == "" {
			info.Status = a.Name
		}
	}
	s.post(ctx, n, transports.Event{Actor: info.User, At: time.Now().UTC(), Body: transports.Presence{Info: info}})
}
