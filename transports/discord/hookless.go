package discord

import (
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/objects"
	"github.com/dragoman-im/dragoman/transports/discord/rest"
)

// hookless are the errors after which the bot has to send the message of another author itself, with the remedy for each.
var hookless = map[int]string{
	rest.CodeMissingPerms:   missingWebhooks,
	rest.CodeMissingAccess:  missingWebhooks,
	rest.CodeTooManyHooks:   "the channel has as many webhooks as Discord allows: delete one at Edit Channel → Integrations → Webhooks",
	rest.CodeTooManyOfGuild: "the server has as many webhooks as Discord allows: delete one at Server Settings → Integrations → Webhooks",
}

const missingWebhooks = "the bot lacks the permission Manage Webhooks: give it to the bot's role at Server Settings → Roles"

// hooklessFor is for how long a channel's webhook is not tried again: ten thousand refusals in ten minutes and
// Discord answers no more (docs: Invalid Request Limit).
const hooklessFor = time.Minute

// maxHookless is how many such channels are remembered.
const maxHookless = 10000

func (s *client) isHookless(c *objects.Channel) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Before(s.hookless[hookedAt(c)])
}

// noteHookless notifies the login's owner once for each channel how their messages appear there.
func (s *client) noteHookless(c *objects.Channel, why string) {
	channel := hookedAt(c)
	s.mu.Lock()
	if len(s.hookless) >= maxHookless {
		clear(s.hookless)
	}
	s.hookless[channel] = time.Now().Add(hooklessFor)
	s.mu.Unlock()
	name := c.Name
	if name == "" {
		name = c.ID
	}
	transports.Notice(s.sink, "webhook "+channel, "in #"+name+" what is written from here appears under the bot's name, with the writer's name before it, since "+why+".")
}
