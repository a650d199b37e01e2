package fake

import (
	"net/http"
	"slices"
	"strings"
)

func getMe(c *call) (int, any, error) { return http.StatusOK, c.app.user.own(), nil }

func getMyGuilds(c *call) (int, any, error) {
	limit, err := c.limitOf(200, 200)
	if err != nil {
		return 0, nil, err
	}
	after, err := c.queryID("after")
	if err != nil {
		return 0, nil, err
	}
	before, err := c.queryID("before")
	if err != nil {
		return 0, nil, err
	}
	list := []obj{}
	for _, g := range sorted(c.s.guilds) {
		if !c.app.in(g) || after != "" && !after.less(g.id) || before != "" && !g.id.less(before) || len(list) >= limit {
			continue
		}
		list = append(list, g.mine(c.app.user, c.query.Get("with_counts") == "true"))
	}
	return http.StatusOK, list, nil
}

// openDirect finds or makes the direct channel with a user. (resources/user.mdx, Create DM)
func openDirect(c *call) (int, any, error) {
	to, err := c.text("recipient_id")
	if err != nil {
		return 0, nil, err
	}
	u := c.s.users[ID(to)]
	switch {
	case to == "" || !ID(to).valid():
		return 0, nil, notSnowflake("recipient_id", to)
	case u == nil || u == c.app.user:
		return 0, nil, errRecipients()
	case u.app != nil:
		return 0, nil, errCannotDM()
	}
	return http.StatusOK, c.s.direct(c.app.user, u).json(c.app.user), nil
}

// direct finds or makes the channel of two users.
func (s *Server) direct(a, b *user) *channel {
	for _, c := range s.channels {
		if c.kind == kindDM && c.recipient(a.id) && c.recipient(b.id) {
			return c
		}
	}
	c := &channel{id: s.newID(), kind: kindDM, recipients: []*user{a, b}, index: map[ID]*message{}}
	s.channels[c.id] = c
	s.touch()
	return c
}

// getApplication describes the bot's application. (openapi: PrivateApplicationResponse)
func getApplication(c *call) (int, any, error) {
	a := c.app
	flags := a.allowed.flags()
	return http.StatusOK, obj{
		"id": a.id, "name": a.name, "icon": nil, "description": "", "type": nil, "bot": a.user.json(),
		"bot_public": true, "bot_require_code_grant": false, "verify_key": strings.Repeat("0", 64),
		"flags": flags, "flags_new": itoa(flags), "redirect_uris": []string{},
		"interactions_endpoint_url": nil, "role_connections_verification_url": nil,
		"owner": a.owner.json(), "approximate_guild_count": len(c.s.guildsOf(a)),
		"approximate_user_install_count": 0, "approximate_user_authorization_count": 0,
		"explicit_content_filter": 0, "team": nil, "eligible_oauth2_scopes": []string{},
	}, nil
}

// guildsOf lists the guilds that an application's bot is in.
func (s *Server) guildsOf(a *app) []*guild {
	return slices.DeleteFunc(sorted(s.guilds), func(g *guild) bool { return !a.in(g) })
}

func getGateway(c *call) (int, any, error) {
	return http.StatusOK, obj{"url": c.s.gatewayURL()}, nil
}

func getUser(c *call) (int, any, error) {
	u := c.s.users[c.id("user_id")]
	if u == nil {
		return 0, nil, errUnknownUser()
	}
	return http.StatusOK, u.json(), nil
}

// getGatewayBot has the limits of beginning sessions. (events/gateway.mdx, Get Gateway Bot)
func getGatewayBot(c *call) (int, any, error) {
	return http.StatusOK, obj{"url": c.s.gatewayURL(), "shards": 1, "session_start_limit": obj{
		"total": c.s.opts.IdentifyLimit, "remaining": max(0, c.s.opts.IdentifyLimit-c.app.started),
		"reset_after": 86_400_000, "max_concurrency": 1,
	}}, nil
}

func (s *Server) gatewayURL() string { return "ws" + strings.TrimPrefix(s.base, "http") }
