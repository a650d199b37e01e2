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

func getGuildWebhooks(c *call) (int, any, error) {
	g, err := c.guild()
	if err != nil {
		return 0, nil, err
	}
	if !g.permissions(c.app.user).has(ManageWebhooks) {
		return 0, nil, errNoPermission()
	}
	list := c.s.webhooksOf(func(w *webhook) bool { return w.channel.guild == g })
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

// ownWebhook is the webhook of the path, which the bot may manage.
func (c *call) ownWebhook() (*webhook, error) {
	w := c.s.webhooks[c.id("webhook_id")]
	if w == nil {
		return nil, errUnknownWebhook()
	}
	if err := w.channel.allows(c.app.user, ManageWebhooks); err != nil {
		return nil, err
	}
	return w, nil
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

func getWebhook(c *call) (int, any, error) {
	w, err := c.ownWebhook()
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, c.s.webhookJSON(w, c.app, true), nil
}

func getWebhookByToken(c *call) (int, any, error) {
	w, err := c.tokenWebhook()
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, c.s.webhookJSON(w, w.app, false), nil
}

func changeWebhook(c *call) (int, any, error) {
	w, err := c.ownWebhook()
	if err != nil {
		return 0, nil, err
	}
	next := *w
	if c.has("name") {
		name, err := c.text("name")
		if err != nil {
			return 0, nil, err
		}
		if next.name, err = webhookName("name", name); err != nil {
			return 0, nil, err
		}
	}
	if c.has("avatar") {
		if next.avatar, err = imageData(c.body["avatar"], "avatar"); err != nil {
			return 0, nil, err
		}
	}
	if id, _ := c.body["channel_id"].(string); id != "" {
		to := c.s.channels[ID(id)]
		if to == nil || to.guild != w.channel.guild || to.thread != nil {
			return 0, nil, errUnknownChannel()
		}
		if err := to.allows(c.app.user, ManageWebhooks); err != nil {
			return 0, nil, err
		}
		next.channel = to
	}
	*w = next
	c.s.emitWebhooks(w.channel)
	return http.StatusOK, c.s.webhookJSON(w, c.app, true), nil
}

func deleteWebhook(c *call) (int, any, error) {
	w, err := c.ownWebhook()
	if err != nil {
		return 0, nil, err
	}
	c.s.unhook(w)
	return http.StatusNoContent, nil, nil
}

func deleteWebhookByToken(c *call) (int, any, error) {
	w, err := c.tokenWebhook()
	if err != nil {
		return 0, nil, err
	}
	c.s.unhook(w)
	return http.StatusNoContent, nil, nil
}
