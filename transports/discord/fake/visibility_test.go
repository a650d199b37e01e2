package fake_test

import (
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/transports/discord/fake"
)

func TestHiddenChannels(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{})
	hidden := w.AddChannel(w.guild, fake.Channel{Name: "plans", Topic: "secret", Private: []fake.ID{w.ann}})
	w.id(w.Say(hidden, w.ann, "start"))
	start := w.Transcript(hidden)[0].ID
	thread := w.id(w.StartThread(hidden, start, w.ann, "details"))
	forum := w.AddChannel(w.guild, fake.Channel{Name: "ideas", Kind: fake.Forum, Hidden: true})

	c := w.dial(w.gateway())
	c.identify(everything &^ fake.IntentPresences)
	c.ready()
	g := c.expect("GUILD_CREATE").M
	for _, e := range g["channels"].([]any) {
		b := e.(m)
		if b["id"] == text(hidden) && (b["name"] != "___hidden___" || b["topic"] != nil || b["flags"] != 131072. || b["last_message_id"] != nil) {
			t.Errorf("shown of a hidden channel: %v", b)
		}
		if b["id"] == text(forum) && (b["name"] != "___hidden___") {
			t.Errorf("shown of a hidden forum: %v", b)
		}
	}
	same(t, "channels", len(g["channels"].([]any)), 3)
	same(t, "threads", len(g["threads"].([]any)), 0)
	same(t, "by the API", len(w.call("GET", path("guilds", w.guild, "channels"), nil).list), 1)

	w.Allow(hidden, w.bot.ID(), fake.ViewChannel, 0)
	same(t, "name", c.expect("CHANNEL_UPDATE").M["name"].(string), "plans")
	sync := c.expect("THREAD_LIST_SYNC").M
	if list := sync["threads"].([]any); len(list) != 1 || list[0].(m)["id"] != text(thread) {
		t.Errorf("threads of a channel that came to light: %v", sync)
	}
	w.id(w.Say(hidden, w.ann, "heard"))
	same(t, "heard", c.expect("MESSAGE_CREATE").M["content"].(string), "heard")
	w.Allow(hidden, w.bot.ID(), 0, fake.ViewChannel)
	same(t, "name", c.expect("CHANNEL_UPDATE").M["name"].(string), "___hidden___")

	c.silent()
}

func TestIdentifySpacing(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{IdentifySpacing: time.Hour})
	w.online(fake.IntentGuilds)
	c := w.dial(w.gateway())
	c.identify(fake.IntentGuilds)
	same(t, "resumable", c.expectOp(9).D.(bool), false)
}

func TestBotIsAddedToPrivateThread(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{})
	w.bot.Permit(w.guild, fake.EverybodysPermissions)
	thread := w.id(w.StartPrivateThread(w.general, w.ann, "secret"))
	c := w.online(everything &^ fake.IntentPresences)
	w.id(w.Say(thread, w.ann, "unheard"))
	w.JoinThread(thread, w.bot.ID(), true)
	if p := c.expect("THREAD_CREATE").M; p["member"] == nil || p["newly_created"] != nil {
		t.Errorf("added: %+v", p)
	}
	c.expect("THREAD_MEMBERS_UPDATE")
	w.id(w.Say(thread, w.ann, "heard"))
	c.expect("MESSAGE_CREATE")
	w.JoinThread(thread, w.bot.ID(), false)
	w.id(w.Say(thread, w.ann, "unheard"))
	c.silent()
}
