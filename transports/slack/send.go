package slack

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/richtext"
	"github.com/dragoman-im/dragoman/transports/slack/content"
	"github.com/dragoman-im/dragoman/transports/slack/webapi"
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
	list, err := uploads(m.Steps)
	if err != nil {
		return transports.Sent{}, err
	}
	if m.Attempt > 1 || list != nil {
		sent, over, left, err := s.settle(ctx, channel, m, list)
		if err != nil || over {
			sent.Earlier = over
			return sent, err
		}
		list = left
	}
	m.Text = s.mentioned(ctx, m.Text)
	if len(m.Files) > 0 || len(list) > 0 {
		return s.sendFiles(ctx, channel, m, list)
	}
	metadata, err := json.Marshal(map[string]any{"event_type": metadataType, "event_payload": map[string]any{"client_id": m.ClientID}})
	if err != nil {
		return transports.Sent{}, err
	}
	args := url.Values{"channel": {channel}, "text": {s.markup(m)}, "parse": {asWritten}, "metadata": {string(metadata)}}
	if m.Thread != "" {
		args.Set("thread_ts", string(m.Thread))
	}
	if m.Author != nil && s.cred.User == "" {
		args.Set("username", m.Author.Name)
		if strings.HasPrefix(m.Author.AvatarURL, "https://") {
			args.Set("icon_url", m.Author.AvatarURL)
		}
	}
	var answer struct {
		TS string `json:"ts"`
	}
	if err := s.call(ctx, "chat.postMessage", args, &answer); err != nil {
		return transports.Sent{}, err
	}
	if stampTime(answer.TS).IsZero() {
		return transports.Sent{}, classify(fmt.Errorf("chat.postMessage: %w", webapi.ErrNonsense))
	}
	return transports.Sent{ID: transports.MessageID(answer.TS), At: stampTime(answer.TS)}, nil
}

// asWritten keeps Slack from making mentions of names; for edits that is not the default (docs: chat.update, parse).
const asWritten = "none"

// find looks for a message that an earlier attempt may have posted: by our id, or by one of its files, which have no metadata.
func (s *client) find(ctx context.Context, channel string, m transports.Outgoing, list []upload) (string, error) {
	method := "conversations.history"
	args := url.Values{"channel": {channel}, "oldest": {timeStamp(m.Since.Add(-clockSkew))}, "limit": {pageSize}}
	if m.Thread != "" {
		method = "conversations.replies"
		args.Set("ts", string(m.Thread))
	}
	for {
		page, err := s.messages(ctx, method, args)
		if err != nil {
			return "", err
		}
		for i := range page.Messages {
			p := &page.Messages[i]
			if id := p.clientID(); id != "" && id == m.ClientID || p.hasOne(list) {
				return p.TS, nil
			}
		}
		if !more(&page.Page, args) {
			return "", nil
		}
	}
}

// CanRelay reports whether messages may have another author's name: with a user token they are the person's own.
func (s *client) CanRelay(context.Context, transports.RoomID) bool { return s.cred.User == "" }

// Edit changes a message. Slack takes less in a change than in a new message (docs: chat.update, msg_too_long), and
// what it answers counts.
func (s *client) Edit(ctx context.Context, message transports.MessageRef, m transports.Outgoing) (rest richtext.Text, err error) {
	channel, err := s.channelOf(message.Room)
	if err != nil {
		return nil, err
	}
	m.Text = s.mentioned(ctx, m.Text)
	parts := richtext.Cutter{Limit: maxText, Parts: 2, Length: func(t richtext.Text) int {
		m.Text = t
		return utf8.RuneCountInString(s.markup(m))
	}}.Split(m.Text)
	m.Text = parts[0]
	args := url.Values{"channel": {channel}, "ts": {string(message.ID)}, "text": {s.markup(m)}, "parse": {asWritten}}
	return slices.Concat(parts[1:]...), s.call(ctx, "chat.update", args, nil)
}

// Delete removes a message. That it is gone already is success.
func (s *client) Delete(ctx context.Context, message transports.MessageRef) error {
	channel, err := s.channelOf(message.Room)
	if err != nil {
		return err
	}
	return ignore(s.call(ctx, "chat.delete", url.Values{"channel": {channel}, "ts": {string(message.ID)}}, nil), "message_not_found")
}

// ignore drops a refusal with that code.
func ignore(err error, code string) error {
	if webapi.Code(err) == code {
		return nil
	}
	return err
}

// React adds and removes the login's reactions. That one is there already, or gone, is success.
func (s *client) React(ctx context.Context, message transports.MessageRef, change transports.ReactionChange) error {
	channel, err := s.channelOf(message.Room)
	if err != nil {
		return err
	}
	args := url.Values{"channel": {channel}, "timestamp": {string(message.ID)}}
	for _, emoji := range change.Add {
		name, ok := content.EmojiName(emoji)
		if !ok {
			return transports.Refuse("not-acceptable", "Slack has no such emoji", nil)
		}
		args.Set("name", name)
		if err := ignore(s.call(ctx, "reactions.add", args, nil), "already_reacted"); err != nil {
			return err
		}
	}
	for _, emoji := range change.Remove {
		name, ok := content.EmojiName(emoji)
		if !ok {
			continue
		}
		args.Set("name", name)
		if err := ignore(s.call(ctx, "reactions.remove", args, nil), "no_reaction"); err != nil {
			return err
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
	return s.call(ctx, "conversations.mark", url.Values{"channel": {channel}, "ts": {string(mark.ID)}}, nil)
}
