package discord

import (
	"context"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/objects"
)

func (s *client) onReaction(ctx context.Context, n *gatewayEvent) error {
	r, ok := decode[objects.Reaction](s, n)
	if !ok || r.UserID == s.cred.Bot {
		return nil
	}
	c, err := s.channelOf(ctx, r.ChannelID)
	if err != nil || c == nil {
		return err
	}
	name := emojiName(r.Emoji)
	if name == "" {
		return nil // an emoji that was deleted
	}
	e := s.event(c, r.MessageID+"/reaction/"+n.key, r.UserID, time.Now().UTC())
	body := transports.Reactions{ID: transports.MessageID(r.MessageID)}
	if n.kind == "MESSAGE_REACTION_ADD" {
		body.Add = []string{name}
	} else {
		body.Remove = []string{name}
	}
	e.Body = body
	s.post(ctx, n, e)
	return nil
}

// emojiName is an emoji as the bridge has it: Unicode, or a name in colons; "" for one that was deleted.
func emojiName(e objects.Emoji) string {
	if e.ID != "" && e.Name != "" {
		return ":" + e.Name + ":"
	}
	return e.Name
}

// onReactionsCleared is a moderator who has removed all reactions of a message, or all with one emoji.
func (s *client) onReactionsCleared(ctx context.Context, n *gatewayEvent) error {
	r, ok := decode[objects.Reaction](s, n)
	if !ok || r.MessageID == "" {
		return nil
	}
	c, err := s.channelOf(ctx, r.ChannelID)
	if err != nil || c == nil {
		return err
	}
	body := transports.Reactions{ID: transports.MessageID(r.MessageID)}
	if n.kind == "MESSAGE_REACTION_REMOVE_ALL" {
		body.ClearedAll = true
	} else if name := emojiName(r.Emoji); name != "" {
		body.Cleared = []string{name}
	} else {
		return nil
	}
	e := s.event(c, r.MessageID+"/cleared/"+n.key, "", time.Now().UTC())
	e.Body = body
	s.post(ctx, n, e)
	return nil
}
