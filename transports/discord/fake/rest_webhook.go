package fake

import "net/http"

// The handlers of webhooks. (resources/webhook.mdx)

func getChannelWebhooks(c *call) (int, any, error) {
	ch, err := c.channel(ManageWebhooks)
	if err != nil {
		return 0, nil, err
	}
	list := c.s.webhooksOf(func(w *webhook) bool { return w.channel == ch })
	return http.StatusOK, shapes(list, func(w *webhook) obj { return c.s.webhookJSON(w, c.app, true) }), nil
}

func createWebhook(c *call) (int, any, error) {
	ch, err := c.channel(ManageWebhooks)
	if err != nil {
		return 0, nil, err
	}
	if ch.guild == nil {
		return 0, nil, errNotOnDM()
	}
	if ch.thread != nil || ch.kind == kindCategory {
		return 0, nil, errChannelType()
	}
	name, err := c.text("name")
	if err != nil {
		return 0, nil, err
	}
	if name, err = webhookName("name", name); err != nil {
		return 0, nil, err
	}
	avatar, err := imageData(c.body["avatar"], "avatar")
	if err != nil {
		return 0, nil, err
	}
	w, err := c.s.hook(ch, c.app, name)
	if err != nil {
		return 0, nil, err
	}
	w.avatar = avatar
	return http.StatusOK, c.s.webhookJSON(w, c.app, true), nil
}

// tokenWebhook is the webhook of the path by its token.
func (c *call) tokenWebhook() (*webhook, error) {
	w := c.s.webhooks[c.id("webhook_id")]
	if w == nil {
		return nil, errUnknownWebhook()
	}
	if w.token != c.params["webhook_token"] {
		return nil, errWebhookToken()
	}
	return w, nil
}
