package discord

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/bwmarrin/discordgo"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// hookName is what our webhooks are called; a name may not hold "discord" or "clyde".
const hookName = "Dragoman"

// maxPersona is the longest name of a webhook's message, in characters.
const maxPersona = 80

// hooks are the account's webhooks, one for each channel, made when needed and used again.
type hooks struct {
	s *session

	mu      sync.Mutex
	channel map[string]*discordgo.Webhook // by channel
	id      map[string]bool
}

func newHooks(s *session) *hooks {
	return &hooks{s: s, channel: map[string]*discordgo.Webhook{}, id: map[string]bool{}}
}

func (h *hooks) ours(id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.id[id]
}

// of finds or makes the webhook of a channel; a thread uses its parent's.
func (h *hooks) of(ctx context.Context, c *discordgo.Channel) (*discordgo.Webhook, error) {
	channel := c.ID
	if c.IsThread() {
		channel = c.ParentID
	}
	h.mu.Lock()
	hook := h.channel[channel]
	h.mu.Unlock()
	if hook != nil {
		return hook, nil
	}
	list, err := h.s.rest.ChannelWebhooks(channel, discordgo.WithContext(ctx))
	if err != nil {
		return nil, h.s.fault(err)
	}
	for _, w := range list {
		if w.ApplicationID == h.s.cred.App && w.Token != "" {
			hook = w
			break
		}
	}
	if hook == nil {
		if hook, err = h.s.rest.WebhookCreate(channel, hookName, "", discordgo.WithContext(ctx)); err != nil {
			return nil, h.s.fault(err)
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.channel[channel], h.id[hook.ID] = hook, true
	return hook, nil
}

// drop forgets a webhook that Discord does not know any longer.
func (h *hooks) drop(w *discordgo.Webhook) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for channel, other := range h.channel {
		if other.ID == w.ID {
			delete(h.channel, channel)
		}
	}
}

// relay writes through the channel's webhook, which is made anew once where it is gone.
func (s *session) relay(ctx context.Context, c *discordgo.Channel, m transports.Outgoing) (transports.Sent, error) {
	for again := false; ; again = true {
		hook, err := s.hooks.of(ctx, c)
		if err != nil {
			return transports.Sent{}, err
		}
		if m.Attempt > 1 {
			found, err := s.find(ctx, c.ID, m, func(past *message) bool { return past.WebhookID == hook.ID })
			if err != nil || found != "" {
				return transports.Sent{ID: transports.MessageID(found), At: snowflakeTime(found)}, err
			}
		}
		body := map[string]any{"content": s.markup(m), "username": personaName(m.Persona.Name), "allowed_mentions": noMentions}
		if strings.HasPrefix(m.Persona.AvatarURL, "https://") {
			body["avatar_url"] = m.Persona.AvatarURL
		}
		query := url.Values{"wait": {"true"}}
		if c.IsThread() {
			query.Set("thread_id", c.ID)
		}
		endpoint := discordgo.EndpointWebhookToken(hook.ID, hook.Token)
		answer, err := s.rest.RequestWithBucketID(http.MethodPost, endpoint+"?"+query.Encode(), body, endpoint, discordgo.WithContext(ctx))
		if code(err) == codeUnknownWebhook && !again {
			s.hooks.drop(hook)
			continue
		}
		if err != nil {
			return transports.Sent{}, s.fault(err)
		}
		return sent(answer)
	}
}

// message is the address of a webhook's message.
func (h *hooks) message(ctx context.Context, c *discordgo.Channel, m *discordgo.Message) (string, error) {
	hook, err := h.of(ctx, c)
	if err != nil {
		return "", err
	}
	if hook.ID != m.WebhookID {
		return "", transports.Refuse("forbidden", "this message was written through another webhook", nil)
	}
	endpoint := discordgo.EndpointWebhookMessage(hook.ID, hook.Token, m.ID)
	if c.IsThread() {
		endpoint += "?" + url.Values{"thread_id": {c.ID}}.Encode()
	}
	return endpoint, nil
}

func (h *hooks) edit(ctx context.Context, c *discordgo.Channel, m *discordgo.Message, content string) error {
	endpoint, err := h.message(ctx, c, m)
	if err != nil {
		return err
	}
	_, err = h.s.rest.RequestWithBucketID(http.MethodPatch, endpoint,
		map[string]any{"content": content, "allowed_mentions": noMentions}, discordgo.EndpointWebhookToken("", ""), discordgo.WithContext(ctx))
	return h.s.fault(err)
}

func (h *hooks) delete(ctx context.Context, c *discordgo.Channel, m *discordgo.Message) error {
	endpoint, err := h.message(ctx, c, m)
	if err != nil {
		return err
	}
	_, err = h.s.rest.RequestWithBucketID(http.MethodDelete, endpoint, nil, discordgo.EndpointWebhookToken("", ""), discordgo.WithContext(ctx))
	return h.s.fault(err)
}

// personaName is a name that Discord takes: 1 to 80 characters, without "clyde" and "discord".
func personaName(name string) string {
	runes := []rune(strings.TrimSpace(name))
	name = string(runes[:min(len(runes), maxPersona-5)])
	for _, word := range []string{"clyde", "discord"} {
		for {
			at := strings.Index(strings.ToLower(name), word)
			if at < 0 || at+1 > len(name) {
				break
			}
			name = name[:at+1] + "\u200A" + name[at+1:] // a hair space breaks the word
		}
	}
	if name == "" {
		return hookName
	}
	return name
}

// named is the text with its speaker's name before it.
func named(m transports.Outgoing) richtext.Text {
	head := richtext.Text{{Kind: richtext.Bold, Children: richtext.FromPlain(m.Persona.Name)}, {Text: ": "}}
	return append(head, m.Text...)
}
