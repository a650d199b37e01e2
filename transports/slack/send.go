package slack

import (
	"context"
	"strings"
	"time"

	slackgo "github.com/slack-go/slack"

	"github.com/dragoman-im/dragoman/transports"
)

// clockSkew is by how much our clock and Slack's may differ when a message is looked for.
const clockSkew = 5 * time.Minute

// Send posts a message. Slack has no nonce: the bridge's id goes along as metadata, and
// a repeated attempt looks for it first.
func (s *client) Send(ctx context.Context, m transports.Outgoing) (transports.Sent, error) {
	channel, err := s.channelOf(m.Room)
	if err != nil {
		return transports.Sent{}, err
	}
	if m.Attempt > 1 {
		ts, err := s.find(ctx, channel, m)
		if err != nil {
			return transports.Sent{}, err
		}
		if ts != "" {
			return transports.Sent{ID: transports.MessageID(ts), At: stampTime(ts)}, nil
		}
	}
	options := []slackgo.MsgOption{
		slackgo.MsgOptionText(s.markup(m), false), asWritten,
		slackgo.MsgOptionMetadata(slackgo.SlackMetadata{EventType: metadataType, EventPayload: map[string]any{"client_id": m.ClientID}}),
	}
	if thread := m.Thread; thread != "" {
		options = append(options, slackgo.MsgOptionTS(string(thread)))
	}
	if m.Author != nil && s.cred.User == "" {
		options = append(options, slackgo.MsgOptionUsername(m.Author.Name))
		if strings.HasPrefix(m.Author.AvatarURL, "https://") {
			options = append(options, slackgo.MsgOptionIconURL(m.Author.AvatarURL))
		}
	}
	_, ts, err := s.api.PostMessageContext(ctx, channel, options...)
	if err != nil {
		return transports.Sent{}, s.fault(err)
	}
	return transports.Sent{ID: transports.MessageID(ts), At: stampTime(ts)}, nil
}

// asWritten keeps Slack from making mentions of names; for edits that is not the default (docs: chat.update, parse).
var asWritten = slackgo.MsgOptionParse(false)

// find looks for a message that an earlier attempt may have posted.
func (s *client) find(ctx context.Context, channel string, m transports.Outgoing) (string, error) {
	oldest := timeStamp(m.Since.Add(-clockSkew))
	cursor := ""
	for {
		var messages []slackgo.Message
		more := false
		err := s.paced(ctx, func() error {
			if m.Thread != "" {
				some, has, next, err := s.api.GetConversationRepliesContext(ctx, &slackgo.GetConversationRepliesParameters{
					ChannelID: channel, Timestamp: string(m.Thread), Oldest: oldest, Cursor: cursor, Limit: 200, IncludeAllMetadata: true,
				})
				messages, more, cursor = some, has, next
				return err
			}
			page, err := s.api.GetConversationHistoryContext(ctx, &slackgo.GetConversationHistoryParameters{
				ChannelID: channel, Oldest: oldest, Cursor: cursor, Limit: 200, IncludeAllMetadata: true,
			})
			if err == nil {
				messages, more, cursor = page.Messages, page.HasMore, page.ResponseMetaData.NextCursor
			}
			return err
		})
		if err != nil {
			return "", err
		}
		for _, candidate := range messages {
			if id, _ := candidate.Metadata.EventPayload["client_id"].(string); id != "" && id == m.ClientID {
				return candidate.Timestamp, nil
			}
		}
		if !more || cursor == "" {
			return "", nil
		}
	}
}

// CanRelay reports whether messages may have another author's name: with a user token they are the person's own.
func (s *client) CanRelay(context.Context, transports.RoomID) bool { return s.cred.User == "" }

// Edit changes a message.
func (s *client) Edit(ctx context.Context, message transports.MessageRef, m transports.Outgoing) error {
	channel, err := s.channelOf(message.Room)
	if err != nil {
		return err
	}
	_, _, _, err = s.api.UpdateMessageContext(ctx, channel, string(message.ID), slackgo.MsgOptionText(s.markup(m), false), asWritten)
	return s.fault(err)
}

// Delete removes a message. That it is gone already is success.
func (s *client) Delete(ctx context.Context, message transports.MessageRef) error {
	channel, err := s.channelOf(message.Room)
	if err != nil {
		return err
	}
	_, _, err = s.api.DeleteMessageContext(ctx, channel, string(message.ID))
	if err != nil && err.Error() == "message_not_found" {
		return nil
	}
	return s.fault(err)
}

// React adds and removes the login's reactions. That one is there already, or gone, is success.
func (s *client) React(ctx context.Context, message transports.MessageRef, change transports.ReactionChange) error {
	channel, err := s.channelOf(message.Room)
	if err != nil {
		return err
	}
	item := slackgo.NewRefToMessage(channel, string(message.ID))
	for _, emoji := range change.Add {
		name, ok := emojiName(emoji)
		if !ok {
			return transports.Refuse("not-acceptable", "Slack has no such emoji", nil)
		}
		if err := s.api.AddReactionContext(ctx, name, item); err != nil && err.Error() != "already_reacted" {
			return s.fault(err)
		}
	}
	for _, emoji := range change.Remove {
		name, ok := emojiName(emoji)
		if !ok {
			continue
		}
		if err := s.api.RemoveReactionContext(ctx, name, item); err != nil && err.Error() != "no_reaction" {
			return s.fault(err)
		}
	}
	return nil
}

// MarkRead moves the person's read mark; a bot has none that anybody sees.
func (s *client) MarkRead(ctx context.Context, room transports.RoomID, mark transports.Read) error {
	channel, err := s.channelOf(room)
	if err != nil || s.cred.User == "" || mark.ID == "" {
		return err
	}
	return s.fault(s.api.MarkConversationContext(ctx, channel, string(mark.ID)))
}
