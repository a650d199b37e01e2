package fake

import (
	"net/url"
	"strings"
	"time"
)

// route is one method of one path.
type route struct {
	method  string
	pattern string // as in Discord's description: /channels/{channel_id}/messages
	handle  func(*call) (int, any, error)
	limit   limit
	open    bool // needs no bot token
	parts   []string
}

func (r *route) name() string { return r.method + " " + r.pattern }

// limit is how many requests a bucket takes in a time. Discord publishes no numbers;
// these are what its headers say at the time of writing, about.
type limit struct {
	n   int
	per time.Duration
}

func usual() limit     { return limit{50, time.Second} }
func posting() limit   { return limit{5, 5 * time.Second} }
func reacting() limit  { return limit{1, 250 * time.Millisecond} }
func executing() limit { return limit{5, 2 * time.Second} }

// routes is the whole API that there is.
func routes() []*route {
	list := []*route{
		{"GET", "/gateway", getGateway, usual(), true, nil},
		{"GET", "/gateway/bot", getGatewayBot, usual(), false, nil},
		{"GET", "/oauth2/applications/@me", getApplication, usual(), false, nil},
		{"GET", "/applications/@me", getApplication, usual(), false, nil},
		{"GET", "/users/@me", getMe, usual(), false, nil},
		{"GET", "/users/@me/guilds", getMyGuilds, usual(), false, nil},
		{"GET", "/users/{user_id}", getUser, usual(), false, nil},
		{"POST", "/users/@me/channels", openDirect, usual(), false, nil},

		{"GET", "/guilds/{guild_id}", getGuild, usual(), false, nil},
		{"GET", "/guilds/{guild_id}/channels", getGuildChannels, usual(), false, nil},
		{"GET", "/guilds/{guild_id}/members", getGuildMembers, usual(), false, nil},
		{"GET", "/guilds/{guild_id}/threads/active", getActiveThreads, usual(), false, nil},

		{"GET", "/channels/{channel_id}", getChannel, usual(), false, nil},
		{"PATCH", "/channels/{channel_id}", changeChannel, usual(), false, nil},
		{"GET", "/channels/{channel_id}/messages", getMessages, usual(), false, nil},
		{"POST", "/channels/{channel_id}/messages", createMessage, posting(), false, nil},
		{"GET", "/channels/{channel_id}/messages/{message_id}", getMessage, usual(), false, nil},
		{"PATCH", "/channels/{channel_id}/messages/{message_id}", changeMessage, posting(), false, nil},
		{"DELETE", "/channels/{channel_id}/messages/{message_id}", deleteMessage, posting(), false, nil},
		{"POST", "/channels/{channel_id}/typing", startTyping, usual(), false, nil},

		{"PUT", "/channels/{channel_id}/messages/{message_id}/reactions/{emoji_name}/@me", addReaction, reacting(), false, nil},
		{"DELETE", "/channels/{channel_id}/messages/{message_id}/reactions/{emoji_name}/@me", removeMyReaction, reacting(), false, nil},

		{"GET", "/channels/{channel_id}/webhooks", getChannelWebhooks, usual(), false, nil},
		{"POST", "/channels/{channel_id}/webhooks", createWebhook, usual(), false, nil},
		{"POST", "/webhooks/{webhook_id}/{webhook_token}", executeWebhook, executing(), true, nil},
		{"PATCH", "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}", changeWebhookMessage, executing(), true, nil},
		{"DELETE", "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}", deleteWebhookMessage, executing(), true, nil},
	}
	for _, r := range list {
		r.parts = split(r.pattern)
	}
	return list
}

func split(path string) []string { return strings.Split(strings.Trim(path, "/"), "/") }

// find matches a path against the routes; a literal segment goes before a parameter.
// known reports that another method would have matched.
func find(routes []*route, method, path string) (best *route, params map[string]string, known bool) {
	segments, literals := split(path), -1
	for _, r := range routes {
		found, n, ok := r.match(segments)
		if !ok {
			continue
		}
		known = true
		if r.method == method && n > literals {
			best, params, literals = r, found, n
		}
	}
	return best, params, known
}

// match compares one pattern and counts its literal segments.
func (r *route) match(segments []string) (map[string]string, int, bool) {
	if len(r.parts) != len(segments) {
		return nil, 0, false
	}
	params, literals := map[string]string{}, 0
	for i, part := range r.parts {
		text, err := url.PathUnescape(segments[i])
		if err != nil {
			return nil, 0, false
		}
		if name, ok := strings.CutPrefix(part, "{"); ok {
			params[strings.TrimSuffix(name, "}")] = text
			continue
		}
		if part != text {
			return nil, 0, false
		}
		literals++
	}
	return params, literals, true
}
