package discord

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/objects"
	"github.com/dragoman-im/dragoman/transports/discord/rest"
)

// maxTopic is the longest topic of a channel in characters (docs: Modify Channel).
const maxTopic = 1024

// maxTopicWait is how long a new topic waits for Discord, which takes few of one channel: messages behind it must not wait for minutes.
const maxTopicWait = 10 * time.Second

// Narrow takes from the capabilities what the bot may not do in a channel. After a session was resumed its roles are not known until the members
// are listed, and Discord decides.
func (s *client) Narrow(room transports.RoomID, caps transports.Caps) transports.Caps {
	c := s.state.Channel(string(room))
	if c == nil || c.GuildID != "" && !s.state.HasMember(c.GuildID, s.cred.Bot) {
		return caps
	}
	if !s.state.Allows(c, s.cred.Bot, objects.PermissionManageMessages) {
		caps.Moderate = false
	}
	if c.GuildID == "" || c.IsThread() || !s.state.Allows(c, s.cred.Bot, objects.PermissionManageChannels) {
		caps = caps.Without(transports.ChangeTopic)
	}
	return caps
}

// Apply changes the topic of a channel.
func (s *client) Apply(ctx context.Context, change transports.Change) (transports.Applied, error) {
	if change.Kind != transports.ChangeTopic {
		return transports.Applied{}, transports.Refuse("feature-not-implemented", "this cannot be changed on Discord from here", nil)
	}
	c, err := s.visibleChannel(ctx, change.Room)
	if err != nil {
		return transports.Applied{}, err
	}
	if n := utf8.RuneCountInString(change.Text); n > maxTopic {
		return transports.Applied{}, transports.Refuse("not-acceptable", fmt.Sprintf("a topic has at most %d characters on Discord, and this has %d", maxTopic, n), nil)
	}
	r := rest.Request{Method: http.MethodPatch, Route: "/channels/{}", Args: []string{c.ID}, Body: map[string]string{"topic": change.Text}}
	err = s.fault(s.api.Call(ctx, r, nil))
	var e *transports.Error
	if errors.As(err, &e) && e.Class == transports.Retry && e.After > maxTopicWait {
		text := fmt.Sprintf("Discord takes few changes of a channel's topic: try again in %v", e.After.Round(time.Second))
		return transports.Applied{}, transports.Refuse("resource-constraint", text, err)
	}
	return transports.Applied{}, err
}
