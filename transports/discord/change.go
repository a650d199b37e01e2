package discord

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/content"
	"github.com/dragoman-im/dragoman/transports/discord/objects"
	"github.com/dragoman-im/dragoman/transports/discord/rest"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// Edit changes a message: through the webhook that wrote it, or as the bot. The name of its author and what it answers
// stay before it.
func (s *client) Edit(ctx context.Context, message transports.MessageRef, m transports.Outgoing) (remains richtext.Text, err error) {
	c, past, err := s.written(ctx, message)
	if err != nil {
		return nil, err
	}
	m.Text = s.mentioned(c, m.Text)
	lead := ""
	switch {
	case past.WebhookID != "":
		lead = answers(c, m)
	case m.Author != nil:
		m.Text = named(m)
	}
	parts := s.cutter(m, lead, 2).Split(m.Text)
	remains = slices.Concat(parts[1:]...)
	m.Text = parts[0]
	body := map[string]any{"content": lead + content.Markup(m), "allowed_mentions": mentions(m.Text)}
	if past.WebhookID != "" {
		r, err := s.hooks.message(ctx, c, past)
		if err != nil {
			return nil, err
		}
		r.Method, r.Body = http.MethodPatch, body
		return remains, s.fault(s.api.Call(ctx, r, nil))
	}
	r := rest.Request{Method: http.MethodPatch, Route: "/channels/{}/messages/{}", Args: []string{c.ID, past.ID}, Body: body}
	return remains, s.fault(s.api.Call(ctx, r, nil))
}

// Delete removes a message. That it is gone already is success.
func (s *client) Delete(ctx context.Context, message transports.MessageRef) error {
	c, past, err := s.written(ctx, message)
	if err != nil {
		return ignore(err, rest.CodeUnknownMessage)
	}
	if s.hooked(past) {
		if r, err := s.hooks.message(ctx, c, past); err == nil {
			r.Method = http.MethodDelete
			if err = s.fault(s.api.Call(ctx, r, nil)); !rest.HookGone(err) {
				return ignore(err, rest.CodeUnknownMessage)
			}
		}
	}
	// The bot's own, or what a lost webhook wrote: that it may delete where it manages messages.
	r := rest.Request{Method: http.MethodDelete, Route: "/channels/{}/messages/{}", Args: []string{c.ID, past.ID}}
	return ignore(s.fault(s.api.Call(ctx, r, nil)), rest.CodeUnknownMessage)
}

// ignore drops errors with certain codes.
func ignore(err error, codes ...int) error {
	for _, c := range codes {
		if rest.Code(err) == c {
			return nil
		}
	}
	return err
}

// written fetches a message with its author.
func (s *client) written(ctx context.Context, ref transports.MessageRef) (*objects.Channel, *objects.Message, error) {
	c, err := s.visibleChannel(ctx, ref.Room)
	if err != nil {
		return nil, nil, err
	}
	if !content.IsSnowflake(string(ref.ID)) {
		return nil, nil, transports.Refuse("item-not-found", "there is no such message", nil)
	}
	m := &objects.Message{}
	if err := s.api.Call(ctx, rest.Get("/channels/{}/messages/{}", c.ID, string(ref.ID)), m); err != nil {
		return nil, nil, s.fault(err)
	}
	m.ID = string(ref.ID) // whatever the answer says
	return c, m, nil
}

// React adds and removes the bot's reactions.
func (s *client) React(ctx context.Context, message transports.MessageRef, change transports.ReactionChange) error {
	c, err := s.visibleChannel(ctx, message.Room)
	if err != nil {
		return err
	}
	id := string(message.ID)
	if !content.IsSnowflake(id) {
		return transports.Refuse("item-not-found", "there is no such message", nil)
	}
	for _, emoji := range change.Add {
		if err := s.react(ctx, http.MethodPut, c, id, emoji); err != nil {
			return err
		}
	}
	for _, emoji := range change.Remove {
		err := s.react(ctx, http.MethodDelete, c, id, emoji)
		if err = ignore(err, rest.CodeUnknownMessage, rest.CodeUnknownEmoji); err != nil {
			return err
		}
	}
	return nil
}

// react makes one change. A name in colons is an emoji of the guild's own; of a Unicode one Discord knows
// one form only, with or without the variation selector.
func (s *client) react(ctx context.Context, method string, c *objects.Channel, message, emoji string) error {
	forms := []string{emoji, strings.TrimSuffix(emoji, "\uFE0F")}
	if forms[1] == emoji {
		forms[1] += "\uFE0F"
	}
	if name := strings.Trim(emoji, ":"); name != emoji {
		id := s.state.Emoji(c.GuildID, name)
		if id == "" && method == http.MethodDelete {
			return nil // it cannot be there
		}
		if id == "" {
			return transports.Refuse("not-acceptable", "Discord has no such emoji", nil)
		}
		forms = []string{name + ":" + id}
	}
	var err error
	for _, form := range forms {
		r := rest.Request{Method: method, Route: "/channels/{}/messages/{}/reactions/{}/@me", Args: []string{c.ID, message, form}}
		if err = s.fault(s.api.Call(ctx, r, nil)); rest.Code(err) != rest.CodeUnknownEmoji {
			break
		}
	}
	return err
}
