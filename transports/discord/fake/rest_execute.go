package fake

import (
	"net/http"
	"net/url"
	"strings"
)

// executeWebhook writes under another name. (resources/webhook.mdx, Execute Webhook)
func executeWebhook(c *call) (int, any, error) {
	w, err := c.tokenWebhook()
	if err != nil {
		return 0, nil, err
	}
	thread, err := c.queryID("thread_id")
	if err != nil {
		return 0, nil, err
	}
	ch, err := w.target(c.s, thread)
	if err != nil {
		return 0, nil, err
	}
	d, err := c.draftOf(ch, c.body, c.files)
	if err != nil {
		return 0, nil, err
	}
	d.hook, d.app = w, w.app
	if d.persona, err = c.personaOf(w); err != nil {
		return 0, nil, err
	}
	m, err := c.execute(w, d, thread != "")
	if err != nil {
		return 0, nil, err
	}
	if c.query.Get("wait") != "true" {
		return http.StatusNoContent, nil, nil
	}
	return http.StatusOK, c.s.messageJSON(m, w.view()), nil
}

// execute writes to the channel or the thread, or begins a forum post.
func (c *call) execute(w *webhook, d *draft, inThread bool) (*message, error) {
	title, err := c.text("thread_name")
	if err != nil {
		return nil, err
	}
	forum := w.channel.kind == kindForum
	switch {
	case forum && inThread && title != "":
		return nil, errHookBothThreads()
	case forum && !inThread && title == "":
		return nil, errHookNeedsThread()
	case !forum && title != "":
		return nil, errHookNoForum()
	case title != "":
		if err := threadName(title); err != nil {
			return nil, err
		}
		_, m := c.s.post(w.channel, threadSpec{name: title, tags: idsOf(c.body["applied_tags"])}, d)
		return m, nil
	}
	m, _, err := c.s.publish(d)
	return m, err
}

// view is how the webhook's application looks at its own messages.
func (w *webhook) view() view { return view{app: w.app, content: true} }

// personaOf is the name and picture of one message: the webhook's own where none are given.
func (c *call) personaOf(w *webhook) (persona, error) {
	p := persona{name: w.name, avatar: w.avatar}
	name, err := c.text("username")
	if err != nil {
		return p, err
	}
	if name != "" {
		if p.name, err = webhookName("username", name); err != nil {
			return p, err
		}
	}
	picture, err := c.text("avatar_url")
	if err != nil {
		return p, err
	}
	if picture != "" {
		u, err := url.Parse(picture)
		if err != nil || u.Host == "" || !strings.HasPrefix(u.Scheme, "http") {
			return p, invalidForm("avatar_url", "URL_TYPE_INVALID_URL", "Not a well formed URL.")
		}
		p.avatar, p.url = pictureHash(picture), picture
	}
	return p, nil
}

// hookMessage is a message that the webhook of the path wrote, in its channel or the
// thread that the query names.
func (c *call) hookMessage() (*webhook, *message, error) {
	w, err := c.tokenWebhook()
	if err != nil {
		return nil, nil, err
	}
	thread, err := c.queryID("thread_id")
	if err != nil {
		return nil, nil, err
	}
	ch, err := w.target(c.s, thread)
	if err != nil {
		return nil, nil, err
	}
	m := ch.index[c.id("message_id")]
	if m == nil || m.hookID != w.id {
		return nil, nil, errUnknownMessage()
	}
	return w, m, nil
}

func changeWebhookMessage(c *call) (int, any, error) {
	w, m, err := c.hookMessage()
	if err != nil {
		return 0, nil, err
	}
	r, err := c.rewriteOf(m)
	if err != nil {
		return 0, nil, err
	}
	if err := c.s.edit(m, r); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, c.s.messageJSON(m, w.view()), nil
}

func deleteWebhookMessage(c *call) (int, any, error) {
	_, m, err := c.hookMessage()
	if err != nil {
		return 0, nil, err
	}
	if t := m.channel.thread; t != nil && t.archived {
		return 0, nil, errArchived()
	}
	c.s.erase(m)
	return http.StatusNoContent, nil, nil
}
