package discord

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/content"
	"github.com/dragoman-im/dragoman/transports/discord/objects"
	"github.com/dragoman-im/dragoman/transports/discord/rest"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// hookName is what our webhooks are called; a name may not hold "discord" or "clyde".
const hookName = "Dragoman"

// hook is a webhook. Its token is a secret.
type hook struct {
	ID          string `json:"id"`
	Token       string `json:"token"`
	Application string `json:"application_id"`
}

// String keeps the token out of logs.
func (h hook) String() string { return "webhook " + h.ID }

// GoString keeps the token out of %#v.
func (h hook) GoString() string { return h.String() }

// hooks are the login's webhooks, one for each channel, made when needed and used again.
type hooks struct {
	s *client

	mu      sync.Mutex
	channel map[string]*hook // by channel: the one to write with
	id      map[string]*hook // all that are ours
	busy    map[string]chan struct{}
}

func newHooks(s *client) *hooks {
	return &hooks{s: s, channel: map[string]*hook{}, id: map[string]*hook{}, busy: map[string]chan struct{}{}}
}

func (h *hooks) ours(id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.id[id] != nil
}

// hookedAt is the channel whose webhooks serve a channel: a thread uses its parent's.
func hookedAt(c *objects.Channel) string {
	if c.IsThread() {
		return c.ParentID
	}
	return c.ID
}

// of finds or makes the webhook of a channel. One asker does, others who need the same one wait for it.
func (h *hooks) of(ctx context.Context, c *objects.Channel) (*hook, error) {
	channel := hookedAt(c)
	for {
		h.mu.Lock()
		if hook := h.channel[channel]; hook != nil {
			h.mu.Unlock()
			return hook, nil
		}
		busy := h.busy[channel]
		if busy == nil {
			done := make(chan struct{})
			h.busy[channel] = done
			h.mu.Unlock()
			hook, err := h.make(ctx, channel)
			h.mu.Lock()
			delete(h.busy, channel)
			h.mu.Unlock()
			close(done)
			return hook, err
		}
		h.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, rest.Classify(ctx.Err())
		}
	}
}

func (h *hooks) make(ctx context.Context, channel string) (*hook, error) {
	own, err := h.list(ctx, channel)
	if err != nil {
		return nil, err
	}
	if own == nil {
		own = &hook{}
		r := rest.Request{Method: http.MethodPost, Route: "/channels/{}/webhooks", Args: []string{channel}, Body: map[string]string{"name": hookName}}
		if err := h.s.api.Call(ctx, r, own); err != nil {
			return nil, h.s.fault(err)
		}
		if own.ID == "" || own.Token == "" {
			return nil, rest.Unreadable("a webhook without id or token")
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.channel[channel], h.id[own.ID] = own, own
	return own, nil
}

// list reads a channel's webhooks and returns one that is ours, nil where there is none.
func (h *hooks) list(ctx context.Context, channel string) (own *hook, err error) {
	var list []*hook
	if err := h.s.api.Call(ctx, rest.Get("/channels/{}/webhooks", channel), &list); err != nil {
		return nil, h.s.fault(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, w := range list {
		if w.Application == h.s.cred.App && w.ID != "" && w.Token != "" {
			h.id[w.ID] = w
			if own == nil {
				own = w
			}
		}
	}
	return own, nil
}

// drop forgets a webhook that Discord does not know any longer. Its messages are still ours.
func (h *hooks) drop(w *hook) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for channel, other := range h.channel {
		if other.ID == w.ID {
			delete(h.channel, channel)
		}
	}
}

// maxQuoted is how many characters of an answered message, and maxQuotedName of its author's name, are quoted.
const (
	maxQuoted     = 80
	maxQuotedName = 32
)

// answers is a line with a link to the message which a message answers, since a webhook cannot reply: the beginning of that message.
func answers(c *objects.Channel, m transports.Outgoing) string {
	if !content.IsSnowflake(string(m.ReplyTo)) {
		return ""
	}
	link := richtext.Node{Kind: richtext.Link, URL: "https://discord.com/channels/" + c.GuildID + "/" + c.ID + "/" + string(m.ReplyTo)}
	if label := quoted(m.Answered); label != "" {
		link.Children = richtext.Text{{Text: label}}
	}
	return "-# ↪ " + content.Markup(transports.Outgoing{Text: richtext.Text{link}}) + "\n"
}

// quoted is one short line of an answered message.
func quoted(m *transports.Answered) string {
	if m == nil {
		return ""
	}
	line := strings.Join(strings.Fields(m.Text), " ")
	if short := content.Shorten(line, maxQuoted); short != line {
		line = strings.TrimSuffix(short, "…") + "…"
	}
	if name := strings.Join(strings.Fields(content.Shorten(m.Author, maxQuotedName)), " "); name != "" && line != "" {
		line = name + ": " + line
	}
	return line
}

// relay writes through the channel's webhook, which is made anew once where it is gone.
func (s *client) relay(ctx context.Context, c *objects.Channel, m transports.Outgoing) (transports.Sent, error) {
	return s.write(ctx, c, m, s.contents(m, answers(c, m)), func(i int, content string) (transports.Sent, error) {
		for again := false; ; again = true {
			hook, err := s.hooks.of(ctx, c)
			if err != nil {
				return transports.Sent{}, err
			}
			body := map[string]any{"content": content, "username": authorName(m.Author.Name), "allowed_mentions": mentions(m.Text)}
			if strings.HasPrefix(m.Author.AvatarURL, "https://") {
				body["avatar_url"] = m.Author.AvatarURL
			}
			query := url.Values{"wait": {"true"}}
			if c.IsThread() {
				query.Set("thread_id", c.ID)
			}
			var answer objects.Message
			r := s.withFiles(rest.Request{Method: http.MethodPost, Route: rest.HookRoute, Args: []string{hook.ID, hook.Token}, Query: query, Body: body}, body, i, m)
			err = s.api.Call(ctx, r, &answer)
			if rest.HookGone(err) {
				s.hooks.drop(hook)
				if !again {
					continue
				}
			}
			if err != nil {
				return transports.Sent{}, fileFault(r, s.fault(err))
			}
			return sent(&answer)
		}
	})
}

// message is the request for a webhook's message, without method and body.
func (h *hooks) message(ctx context.Context, c *objects.Channel, m *objects.Message) (rest.Request, error) {
	h.mu.Lock()
	own := h.id[m.WebhookID]
	h.mu.Unlock()
	if own == nil {
		if _, err := h.list(ctx, hookedAt(c)); err != nil {
			return rest.Request{}, err
		}
		h.mu.Lock()
		own = h.id[m.WebhookID]
		h.mu.Unlock()
	}
	if own == nil {
		return rest.Request{}, transports.Refuse("forbidden", "this message was written through another webhook, or one that is gone", nil)
	}
	r := rest.Request{Route: rest.HookRoute + "/messages/{}", Args: []string{own.ID, own.Token, m.ID}}
	if c.IsThread() {
		r.Query = url.Values{"thread_id": {c.ID}}
	}
	return r, nil
}
