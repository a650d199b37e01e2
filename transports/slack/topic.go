package slack

import (
	"context"
	"fmt"
	"net/url"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/slack/content"
)

// maxTopic is the longest topic of a channel in characters (docs: conversations.setTopic).
const maxTopic = 250

// setTopic changes the topic of a channel.
func (s *client) setTopic(ctx context.Context, channel, topic string) error {
	if n := utf8.RuneCountInString(topic); n > maxTopic {
		return transports.Refuse("not-acceptable", fmt.Sprintf("a topic has at most %d characters on Slack, and this has %d", maxTopic, n), nil)
	}
	return s.call(ctx, "conversations.setTopic", url.Values{"channel": {channel}, "topic": {content.Escape(topic)}}, nil)
}

// Narrow takes from the capabilities what the login may not do in a channel: only administrators of the workspace remove messages of others, and
// only with a token of their own (docs: chat.delete). Conversations of two have no topic.
func (s *client) Narrow(room transports.RoomID, caps transports.Caps) transports.Caps {
	channel, ok := slackID(s.cred.Team, room)
	if !ok {
		return caps
	}
	s.mu.Lock()
	rank := s.ranks[s.cred.Self].ID
	_, listed := s.people[s.cred.Self] // before that its rank is not known, and the workspace decides
	info, known := s.rooms[channel]
	s.mu.Unlock()
	if s.cred.kind() != userKind || listed && rank != "owner" && rank != "admin" {
		caps.Moderate = false
	}
	if direct(channel) || known && info.Kind == transports.Direct {
		caps = caps.Without(transports.ChangeTopic)
	}
	return caps
}
