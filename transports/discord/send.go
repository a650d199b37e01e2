package discord

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/dragoman-im/dragoman/transports"
)

// maxNonce is the longest nonce (docs: Create Message), in characters.
const maxNonce = 25

// noMentions keeps texts of ours from alerting everybody; people whom they name are told.
var noMentions = map[string]any{"parse": []string{"users"}}

// Send writes a message: in a guild's channel under the persona's name through a webhook, else as the bot.
func (s *session) Send(ctx context.Context, m transports.Outgoing) (transports.Sent, error) {
	id, err := checkRoom(m.Room)
	if err != nil {
		return transports.Sent{}, err
	}
	c, err := s.channelOf(ctx, id)
	if err != nil {
		return transports.Sent{}, err
	}
	if c == nil {
		return transports.Sent{}, transports.Refuse("item-not-found", "there is no such channel, or the bot does not see it", nil)
	}
	if m.Persona != nil && c.GuildID != "" {
		sent, err := s.relay(ctx, c, m)
		if err == nil || code(err) != codeMissingPerms && code(err) != codeTooManyHooks {
			return sent, err
		}
		m.Text = named(m) // no webhook to be had: the bot says who spoke
	}
	return s.speak(ctx, c, m)
}

// speak writes as the bot. The nonce makes a repeated call answer with the message of the first one; for one that comes too
// late for that, the message is looked for.
func (s *session) speak(ctx context.Context, c *discordgo.Channel, m transports.Outgoing) (transports.Sent, error) {
	if m.Attempt > 1 {
		found, err := s.find(ctx, c.ID, m, func(past *message) bool {
			return past.Author != nil && past.Author.ID == s.cred.Bot
		})
		if err != nil || found != "" {
			return transports.Sent{ID: transports.MessageID(found), At: snowflakeTime(found)}, err
		}
	}
	body := map[string]any{
		"content": s.markup(m), "nonce": nonce(m.ClientID), "enforce_nonce": true, "allowed_mentions": noMentions,
	}
	if m.ReplyTo != "" {
		body["message_reference"] = map[string]any{"message_id": string(m.ReplyTo), "fail_if_not_exists": false}
	}
	endpoint := discordgo.EndpointChannelMessages(c.ID)
	answer, err := s.rest.RequestWithBucketID(http.MethodPost, endpoint, body, endpoint, discordgo.WithContext(ctx))
	if err != nil {
		return transports.Sent{}, s.fault(err)
	}
	return sent(answer)
}

func sent(answer []byte) (transports.Sent, error) {
	var m struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(answer, &m); err != nil || m.ID == "" {
		return transports.Sent{}, transports.Later(time.Second, err)
	}
	return transports.Sent{ID: transports.MessageID(m.ID), At: snowflakeTime(m.ID)}, nil
}

// nonce is the bridge's id cut to what Discord takes: its random part is at the end.
func nonce(id string) string {
	id = strings.ReplaceAll(id, "-", "")
	return id[max(0, len(id)-maxNonce):]
}

// clockSkew is by how much our clock and Discord's may differ when a message is looked for.
const clockSkew = 5 * time.Minute

// find looks for the message of an earlier attempt: one of ours that the bridge does not know. A room's calls
// are made one at a time, so there is one at most.
func (s *session) find(ctx context.Context, channel string, m transports.Outgoing, ours func(*message) bool) (string, error) {
	if m.Known == nil {
		return "", nil
	}
	after := snowflakeAt(m.Since.Add(-clockSkew))
	for {
		page, err := s.page(ctx, channel, after, "", 100)
		if err != nil {
			return "", err
		}
		for i := range page {
			p := &page[i]
			if p.Nonce != "" && p.Nonce == nonce(m.ClientID) || ours(p) && !m.Known(transports.MessageID(p.ID)) {
				return p.ID, nil
			}
			after = p.ID
		}
		if len(page) < 100 {
			return "", nil
		}
	}
}

// Edit changes a message: through the webhook that wrote it, or as the bot.
func (s *session) Edit(ctx context.Context, room transports.RoomID, id transports.MessageID, m transports.Outgoing) error {
	channel, err := checkRoom(room)
	if err != nil {
		return err
	}
	c, past, err := s.written(ctx, channel, string(id))
	if err != nil {
		return err
	}
	if past.WebhookID != "" {
		return s.hooks.edit(ctx, c, past, s.markup(m))
	}
	endpoint := discordgo.EndpointChannelMessage(c.ID, past.ID)
	_, err = s.rest.RequestWithBucketID(http.MethodPatch, endpoint,
		map[string]any{"content": s.markup(m), "allowed_mentions": noMentions}, discordgo.EndpointChannelMessage(c.ID, ""), discordgo.WithContext(ctx))
	return s.fault(err)
}

// Delete removes a message. That it is gone already is success.
func (s *session) Delete(ctx context.Context, room transports.RoomID, id transports.MessageID) error {
	channel, err := checkRoom(room)
	if err != nil {
		return err
	}
	c, past, err := s.written(ctx, channel, string(id))
	if err == nil && past.WebhookID != "" && s.hooks.ours(past.WebhookID) {
		err = s.hooks.delete(ctx, c, past)
	} else if err == nil {
		err = s.fault(s.rest.ChannelMessageDelete(c.ID, past.ID, discordgo.WithContext(ctx)))
	}
	if code(err) == codeUnknownMessage {
		return nil
	}
	return err
}

// written fetches a message, which tells who wrote it.
func (s *session) written(ctx context.Context, channel, id string) (*discordgo.Channel, *discordgo.Message, error) {
	if !isSnowflake(id) {
		return nil, nil, transports.Refuse("item-not-found", "there is no such message", nil)
	}
	c, err := s.channelOf(ctx, channel)
	if err != nil {
		return nil, nil, err
	}
	if c == nil {
		return nil, nil, transports.Refuse("item-not-found", "there is no such channel, or the bot does not see it", nil)
	}
	m, err := s.rest.ChannelMessage(channel, id, discordgo.WithContext(ctx))
	if err != nil {
		return nil, nil, s.fault(err)
	}
	return c, m, nil
}

// React adds and removes the bot's reactions.
func (s *session) React(ctx context.Context, room transports.RoomID, id transports.MessageID, add, remove []string) error {
	channel, err := checkRoom(room)
	if err != nil {
		return err
	}
	if !isSnowflake(string(id)) {
		return transports.Refuse("item-not-found", "there is no such message", nil)
	}
	for _, emoji := range add {
		if strings.HasPrefix(emoji, ":") {
			return transports.Refuse("not-acceptable", "Discord has no such emoji", nil)
		}
		if err := s.rest.MessageReactionAdd(channel, string(id), emoji, discordgo.WithContext(ctx)); err != nil {
			return s.fault(err)
		}
	}
	for _, emoji := range remove {
		err := s.rest.MessageReactionRemove(channel, string(id), emoji, "@me", discordgo.WithContext(ctx))
		if err != nil && code(err) != codeUnknownMessage {
			return s.fault(err)
		}
	}
	return nil
}

// CanRelay tells that messages may go out under another name: in a guild's channels.
func (s *session) CanRelay(ctx context.Context, room transports.RoomID) bool {
	id, err := checkRoom(room)
	if err != nil {
		return false
	}
	c, err := s.channelOf(ctx, id)
	return err == nil && c != nil && c.GuildID != ""
}
