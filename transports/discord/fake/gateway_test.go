package fake_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/dragoman-im/dragoman/transports/discord/fake"
)

func TestReadyThenGuilds(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{})
	w.SetPresence(w.ann, "idle", "out for lunch")
	w.id(w.StartPrivateThread(w.general, w.ann, "hidden")) // the bot may see it: it manages threads
	c := w.dial(w.gateway())
	same(t, "interval", c.interval, 41250)
	c.identify(everything)
	ready := c.ready()
	guilds := ready.M["guilds"].([]any)
	if len(guilds) != 1 || guilds[0].(m)["unavailable"] != true {
		t.Errorf("guilds in READY: %v", guilds)
	}
	g := c.expect("GUILD_CREATE").M
	same(t, "members", len(g["members"].([]any)), 4)
	same(t, "channels", len(g["channels"].([]any)), 1)
	same(t, "threads", len(g["threads"].([]any)), 1)
	if g["channels"].([]any)[0].(m)["guild_id"] != nil {
		t.Error("channels in GUILD_CREATE have no guild_id")
	}
	same(t, "presences", len(g["presences"].([]any)), 1)
	c.expect("PRESENCE_UPDATE") // the bot itself
	w.ok(w.bot.WaitOnline(w.ctx))
	same(t, "sessions begun", w.bot.Counts().Identified, 1)
}

func TestGuildsWithoutPresences(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{})
	c := w.dial(w.gateway())
	c.identify(fake.IntentGuilds)
	c.ready()
	g := c.expect("GUILD_CREATE").M
	same(t, "members", len(g["members"].([]any)), 1)
	same(t, "member count", g["member_count"].(float64), 4)
}

func TestEventsOfMessages(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{Unlimited: true})
	c := w.online(everything &^ fake.IntentPresences)
	id := w.id(w.Say(w.general, w.ann, "hello <@"+text(w.bob)+">"))
	p := c.expect("MESSAGE_CREATE")
	same(t, "content", p.M["content"].(string), "hello <@"+text(w.bob)+">")
	same(t, "guild", p.M["guild_id"].(string), text(w.guild))
	if p.M["member"] == nil || p.M["mentions"].([]any)[0].(m)["member"] == nil {
		t.Errorf("no member: %+v", p.M)
	}
	w.ok(w.Edit(w.general, id, w.ann, "changed"))
	if p := c.expect("MESSAGE_UPDATE"); p.M["edited_timestamp"] == nil || p.M["content"] != "changed" {
		t.Errorf("edit: %+v", p)
	}
	emoji := w.AddEmoji(w.guild, "party")
	c.expect("GUILD_EMOJIS_UPDATE")
	w.ok(w.React(w.general, id, w.bob, "party:"+text(emoji)))
	same(t, "reacted", c.expect("MESSAGE_REACTION_ADD").M["emoji"].(m)["name"].(string), "party")
	w.Typing(w.general, w.bob)
	same(t, "typing", c.expect("TYPING_START").M["user_id"].(string), text(w.bob))
	w.ok(w.Delete(w.general, id, w.ann))
	same(t, "deleted", c.expect("MESSAGE_DELETE").M["id"].(string), text(id))
	two := []fake.ID{w.id(w.Say(w.general, w.ann, "a")), w.id(w.Say(w.general, w.ann, "b"))}
	c.expect("MESSAGE_CREATE")
	c.expect("MESSAGE_CREATE")
	w.BulkDelete(w.general, two...)
	same(t, "bulk", len(c.expect("MESSAGE_DELETE_BULK").M["ids"].([]any)), 2)
	w.id(w.Post(w.general, w.ann, fake.Post{Text: "with a nonce", Nonce: "n1"}))
	same(t, "nonce", c.expect("MESSAGE_CREATE").M["nonce"].(string), "n1")
	c.silent()
}

func TestPreviewsAreUpdatesWithoutEdit(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{})
	c := w.online(everything &^ fake.IntentPresences)
	w.id(w.Say(w.general, w.ann, "see https://example.org"))
	same(t, "at first", len(c.expect("MESSAGE_CREATE").M["embeds"].([]any)), 0)
	p := c.expect("MESSAGE_UPDATE").M
	if p["edited_timestamp"] != nil || len(p["embeds"].([]any)) != 1 || p["content"] == nil {
		t.Errorf("preview: %+v", p)
	}
	w.PartialUpdates(true)
	w.id(w.Say(w.general, w.ann, "see https://example.com"))
	c.expect("MESSAGE_CREATE")
	p = c.expect("MESSAGE_UPDATE").M
	if _, ok := p["content"]; ok || len(p) != 4 || len(p["embeds"].([]any)) != 1 {
		t.Errorf("partial: %+v", p)
	}
	w.id(w.Say(w.general, w.ann, "none for <https://example.net>"))
	c.expect("MESSAGE_CREATE")
	c.silent()
}

func TestContentIsPrivileged(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{})
	c := w.online(everything &^ (fake.IntentContent | fake.IntentPresences))
	files := []fake.File{{Name: "a.txt", Data: []byte("x")}}
	w.id(w.Post(w.general, w.ann, fake.Post{Text: "secret", Files: files}))
	if p := c.expect("MESSAGE_CREATE").M; p["content"] != "" || len(p["attachments"].([]any)) != 0 {
		t.Errorf("content without the intent: %+v", p)
	}
	w.id(w.Say(w.general, w.ann, "for <@"+text(w.bot.ID())+">"))
	if p := c.expect("MESSAGE_CREATE").M; p["content"] == "" {
		t.Errorf("a mention: %+v", p)
	}
	w.id(w.Say(w.DM(w.bot.ID(), w.ann), w.ann, "direct"))
	if p := c.expect("MESSAGE_CREATE").M; p["content"] != "direct" || p["guild_id"] != nil {
		t.Errorf("a direct message: %+v", p)
	}
	w.call("POST", path("channels", w.general, "messages"), m{"content": "mine"})
	if p := c.expect("MESSAGE_CREATE").M; p["content"] != "mine" {
		t.Errorf("its own: %+v", p)
	}
	hook := w.call("POST", path("channels", w.general, "webhooks"), m{"name": "b"}).body
	c.expect("WEBHOOKS_UPDATE")
	w.call("POST", path("webhooks", hook["id"], hook["token"]), m{"content": "by webhook"})
	if p := c.expect("MESSAGE_CREATE").M; p["content"] != "by webhook" || p["webhook_id"] != hook["id"] {
		t.Errorf("its webhook's: %+v", p)
	}
	w.bot.Allow(0)
	a := w.call("GET", path("channels", w.general, "messages"), nil)
	if got := a.list[len(a.list)-1].(m)["content"]; got != "" {
		t.Errorf("by the API: %v", got)
	}
}

func TestEventsOfChannelsAndUsers(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{Unlimited: true})
	c := w.online(everything)
	c.expect("PRESENCE_UPDATE")
	carol := w.AddUser(fake.User{Name: "carol"})
	w.AddMember(w.guild, carol)
	c.expect("GUILD_MEMBER_ADD")
	w.SetNick(w.guild, carol, "Caro")
	same(t, "nick", c.expect("GUILD_MEMBER_UPDATE").M["nick"].(string), "Caro")
	w.SetPresence(carol, "dnd", "busy")
	if p := c.expect("PRESENCE_UPDATE").M; p["status"] != "dnd" || p["activities"].([]any)[0].(m)["state"] != "busy" {
		t.Errorf("presence: %+v", p)
	}
	w.RemoveMember(w.guild, carol)
	c.expect("GUILD_MEMBER_REMOVE")
	role := w.AddRole(w.guild, "helpers", 0)
	c.expect("GUILD_ROLE_CREATE")
	w.SetRole(w.guild, role, fake.ManageMessages)
	c.expect("GUILD_ROLE_UPDATE")
	for _, k := range []fake.ChannelKind{fake.Text, fake.Announcement, fake.Voice, fake.Category, fake.Forum} {
		w.AddChannel(w.guild, fake.Channel{Name: fmt.Sprint("c", k), Kind: k})
		c.expect("CHANNEL_CREATE")
	}
	hidden := w.AddChannel(w.guild, fake.Channel{Name: "hidden", Private: []fake.ID{w.ann}})
	same(t, "name of what it may not see", c.expect("CHANNEL_CREATE").M["name"].(string), "___hidden___")
	w.id(w.Say(hidden, w.ann, "nobody hears"))
	c.silent()
	w.RenameChannel(w.general, "lobby")
	same(t, "name", c.expect("CHANNEL_UPDATE").M["name"].(string), "lobby")
	forum := w.AddChannel(w.guild, fake.Channel{Name: "ideas", Kind: fake.Forum})
	c.expect("CHANNEL_CREATE")
	post := w.id(w.ForumPost(forum, w.ann, "an idea", fake.Post{Text: "this"}))
	if p := c.expect("THREAD_CREATE").M; p["newly_created"] != true || p["parent_id"] != text(forum) {
		t.Errorf("post: %+v", p)
	}
	same(t, "its message", c.expect("MESSAGE_CREATE").M["id"].(string), text(post))
	w.JoinThread(post, w.bob, true)
	c.expect("THREAD_MEMBERS_UPDATE")
	w.id(w.Say(post, w.bob, "a comment"))
	same(t, "in the thread", c.expect("MESSAGE_CREATE").M["channel_id"].(string), text(post))
	w.DeleteChannel(post)
	c.expect("THREAD_DELETE")
	start := w.id(w.Say(w.general, w.ann, "start"))
	c.expect("MESSAGE_CREATE")
	w.id(w.StartThread(w.general, start, w.ann, "a thread"))
	c.expect("THREAD_CREATE")
	if p := c.expect("MESSAGE_UPDATE").M; p["thread"] == nil || p["edited_timestamp"] != nil {
		t.Errorf("message with a thread: %+v", p)
	}
	same(t, "starter", c.expect("MESSAGE_CREATE").M["type"].(float64), 21)
	w.DeleteChannel(forum)
	c.expect("CHANNEL_DELETE")
	w.GuildOutage(w.guild, true)
	same(t, "outage", c.expect("GUILD_DELETE").M["unavailable"].(bool), true)
	w.id(w.Say(w.general, w.ann, "unheard"))
	w.GuildOutage(w.guild, false)
	c.expect("GUILD_CREATE")
	another := w.AddGuild("Another", w.owner)
	w.bot.Install(another, fake.BridgePermissions)
	same(t, "guild", c.expect("GUILD_CREATE").M["name"].(string), "Another")
	w.RemoveMember(another, w.bot.ID())
	if p := c.expect("GUILD_DELETE").M; p["unavailable"] != nil {
		t.Errorf("removed: %+v", p)
	}
	c.silent()
}

func TestIntentsSelectEvents(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{})
	c := w.online(fake.IntentGuilds)
	w.id(w.Say(w.general, w.ann, "https://example.org"))
	w.Typing(w.general, w.ann)
	w.SetPresence(w.ann, "online", "")
	w.SetNick(w.guild, w.ann, "A")
	w.id(w.Say(w.DM(w.bot.ID(), w.ann), w.ann, "direct"))
	c.silent()
	w.RenameChannel(w.general, "x")
	c.expect("CHANNEL_UPDATE")
}

// TestCloseCodes is what a client is closed for.
func TestCloseCodes(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{})
	identify := func(token string, intents fake.Intents) m {
		return m{"token": token, "intents": int(intents), "properties": m{"os": "a", "browser": "b", "device": "c"}}
	}
	plain := w.AddBot(fake.App{Name: "plain"})
	for name, c := range map[string]struct {
		code int
		do   func(*client)
	}{
		"bad token":         {4004, func(c *client) { c.send(2, identify("nonsense", 0)) }},
		"bad token, resume": {4004, func(c *client) { c.send(6, m{"token": "nonsense", "session_id": "x", "seq": 1}) }},
		"disallowed intent": {4014, func(c *client) { c.send(2, identify(plain.Token(), fake.IntentContent)) }},
		"invalid intent":    {4013, func(c *client) { c.send(2, identify(w.bot.Token(), 1<<40)) }},
		"not identified":    {4003, func(c *client) { c.send(3, m{"status": "online", "since": nil, "afk": false, "activities": []m{}}) }},
		"identified twice":  {4005, func(c *client) { c.identify(0); c.identify(0) }},
		"invalid sequence": {4007, func(c *client) {
			c.identify(0)
			c.ready()
			c.ws.CloseNow()
			d := w.dial(w.gateway())
			d.resume(c, 99)
			*c = *d
		}},
		"more than 4,096 B": {4002, func(c *client) { c.send(2, identify(strings.Repeat("x", 4096), 0)) }},
		"too many payloads": {4008, func(c *client) {
			c.identify(0)
			for range 130 {
				c.send(1, 0)
			}
		}},
		"another shard": {4010, func(c *client) { b := identify(w.bot.Token(), 0); b["shard"] = []int{1, 2}; c.send(2, b) }},
	} {
		t.Run(name, func(t *testing.T) {
			d := w.dial(w.gateway())
			d.testDiscord = &testDiscord{T: t, Server: w.Server, ctx: w.ctx, bot: w.bot, guild: w.guild}
			c.do(d)
			same(t, "code", d.closed(), c.code)
		})
	}
}

func TestVersionsOfTheGateway(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{})
	for query, code := range map[string]int{"v=8&encoding=json": 4012, "v=10&encoding=etf": 4012, "": 4012} {
		c := &client{testDiscord: w}
		c.connect(w.gateway() + "/?" + query)
		same(t, query, c.closed(), code)
	}
	c := &client{testDiscord: w}
	c.connect(w.gateway() + "/?v=9&encoding=json")
	same(t, "version 9", c.next().Op, 10)
}

func TestMissingHeartbeatCloses(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{Heartbeat: 600 * time.Millisecond})
	c := w.dial(w.gateway())
	c.identify(fake.IntentGuilds)
	c.ready()
	c.expect("GUILD_CREATE")
	same(t, "code", c.closed(), 4000)
	same(t, "starved", w.bot.Counts().Starved, 1)
	d := w.dial(c.resumeAt)
	d.seq = c.seq
	d.resume(c, c.seq)
	d.expect("RESUMED")
}

func TestSessionsEndByTheClientsClose(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{})
	c := w.online(fake.IntentGuilds)
	w.ok(c.ws.Close(websocket.StatusNormalClosure, ""))
	w.ok(w.bot.WaitOffline(w.ctx))
	d := w.dial(c.resumeAt)
	d.resume(c, c.seq)
	same(t, "resumable", d.expectOp(9).D.(bool), false)
	d.identify(fake.IntentGuilds) // on the same connection
	d.ready()
}

func TestIdentifyLimitResetsTheToken(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{IdentifyLimit: 2})
	old := w.bot.Token()
	w.online(fake.IntentGuilds)
	w.online(fake.IntentGuilds)
	if a := w.call("GET", "/gateway/bot", nil); a.body["session_start_limit"].(m)["remaining"] != 0. {
		t.Errorf("gateway/bot: %s", a.raw)
	}
	c := w.dial(w.gateway())
	c.identify(fake.IntentGuilds)
	same(t, "code", c.closed(), 4004)
	if w.bot.Token() == old {
		t.Error("the token is the same")
	}
}
