package fake

import (
	"strings"
	"unicode/utf8"
)

// webhookName checks a webhook's name, and the name of one of its messages.
// (resources/webhook.mdx, Create Webhook; resources/user.mdx, Usernames and Nicknames)
func webhookName(field, name string) (string, error) {
	name = strings.Join(strings.Fields(name), " ")
	if n := utf8.RuneCountInString(name); n < 1 || n > 80 {
		return "", tooLong(field, 80)
	}
	lower := strings.ToLower(name)
	for _, word := range []string{"clyde", "discord", "@", "#", ":", "```"} {
		if strings.Contains(lower, word) {
			return "", invalidForm(field, "USERNAME_INVALID_CONTAINS", "Username cannot contain \""+word+"\"")
		}
	}
	if lower == "everyone" || lower == "here" {
		return "", invalidForm(field, "USERNAME_INVALID", "Username cannot be \""+name+"\"")
	}
	return name, nil
}

// webhookJSON is a webhook. The token is shown to the application that made it only.
// (openapi: GuildIncomingWebhookResponse)
func (s *Server) webhookJSON(w *webhook, viewer *app, user bool) obj {
	b := obj{
		"id": w.id, "type": 1, "name": w.name, "avatar": orNull(w.avatar), "guild_id": w.channel.guild.id,
		"channel_id": w.channel.id, "application_id": nil,
	}
	if w.app != nil {
		b["application_id"] = w.app.id
	}
	if w.app == viewer || !user {
		b["token"] = w.token
		b["url"] = s.base + "/api/webhooks/" + string(w.id) + "/" + w.token
	}
	if user && w.creator != nil {
		b["user"] = w.creator.json()
	}
	return b
}

// webhooksOf counts or lists the webhooks that fit, in order.
func (s *Server) webhooksOf(fits func(*webhook) bool) []*webhook {
	var list []*webhook
	for _, w := range sorted(s.webhooks) {
		if fits(w) {
			list = append(list, w)
		}
	}
	return list
}

// hook makes a webhook of a channel.
func (s *Server) hook(c *channel, a *app, name string) (*webhook, error) {
	inChannel := s.webhooksOf(func(w *webhook) bool { return w.channel == c })
	if len(inChannel) >= maxChannelWebhooks {
		return nil, errManyWebhooks()
	}
	inGuild := s.webhooksOf(func(w *webhook) bool { return w.channel.guild == c.guild })
	if len(inGuild) >= maxGuildWebhooks {
		return nil, errManyGuildHooks()
	}
	w := &webhook{id: s.newID(), token: secret(51), name: name, channel: c, app: a}
	if a != nil {
		w.creator = a.user
	}
	s.webhooks[w.id] = w
	s.emitWebhooks(c)
	s.touch()
	return w, nil
}

// unhook deletes a webhook; its messages stay.
func (s *Server) unhook(w *webhook) {
	delete(s.webhooks, w.id)
	s.emitWebhooks(w.channel)
	s.touch()
}

// target is the channel that a call of a webhook is about: its own, or a thread of it.
func (w *webhook) target(s *Server, thread ID) (*channel, error) {
	if thread == "" {
		return w.channel, nil
	}
	t := s.channels[thread]
	if t == nil || t.thread == nil || t.parent != w.channel {
		return nil, errUnknownChannel()
	}
	return t, nil
}
