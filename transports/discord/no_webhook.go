package discord

import (
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/objects"
	"github.com/dragoman-im/dragoman/transports/discord/rest"
)

// noWebhook has the errors after which the bot has to send the message of another author itself, with the remedy for each.
var noWebhook = map[int]string{
	rest.CodeMissingPerms:   missingWebhooks,
	rest.CodeMissingAccess:  missingWebhooks,
	rest.CodeTooManyHooks:   "the channel has as many webhooks as Discord allows: delete one at Edit Channel → Integrations → Webhooks",
	rest.CodeTooManyOfGuild: "the server has as many webhooks as Discord allows: delete one at Server Settings → Integrations → Webhooks",
}

const missingWebhooks = "the bot lacks the permission Manage Webhooks: give it to the bot's role at Server Settings → Roles"

// webhookRetry is for how long a channel's webhook is not tried again: ten thousand refusals in ten minutes and
// Discord answers no more (docs: Invalid Request Limit).
const webhookRetry = time.Minute

// maxWithoutWebhook is how many such channels are remembered.
const maxWithoutWebhook = 10000

func (s *client) isWithoutWebhook(c *objects.Channel) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Before(s.noWebhook[hookedAt(c)])
}

// noteNoWebhook notifies the login's owner once for each channel how their messages appear there.
func (s *client) noteNoWebhook(c *objects.Channel, why string) {
	channel := hookedAt(c)
	s.mu.Lock()
	if len(s.noWebhook) >= maxWithoutWebhook {
		clear(s.noWebhook)
	}
	s.noWebhook[channel] = time.Now().Add(webhookRetry)
	s.mu.Unlock()
	name := c.Name
	if name == "" {
		name = c.ID
	}
	transports.Notice(s.sink, "webhook "+channel, "in #"+name+" what is written from here appears under the bot's name, with the writer's name before it, since "+why+".")
}
