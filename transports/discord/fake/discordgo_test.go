package fake_test

import (
	"testing"

	"github.com/bwmarrin/discordgo"

	"github.com/dragoman-im/dragoman/transports/discord/fake"
)

// TestDiscordgoGateway has discordgo's own gateway client, as it is, with its compression.
func TestDiscordgoGateway(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{})
	for i := range 40 {
		w.AddChannel(w.guild, fake.Channel{Name: "channel-" + string(rune('a'+i%26)), Topic: "so that GUILD_CREATE is long enough to be compressed"})
	}
	d := w.rest(w.bot)
	d.SyncEvents = true
	d.ShouldReconnectOnError = false
	d.Compress = true
	d.Identify.Compress = true
	d.Identify.Intents = discordgo.IntentsAll
	guilds := make(chan *discordgo.GuildCreate, 1)
	messages := make(chan *discordgo.MessageCreate, 10)
	d.AddHandler(func(_ *discordgo.Session, e *discordgo.GuildCreate) { guilds <- e })
	d.AddHandler(func(_ *discordgo.Session, e *discordgo.MessageCreate) { messages <- e })
	w.ok(d.Open())
	if g := receive(w, guilds); g.Name != "Acme" || len(g.Channels) != 41 {
		t.Errorf("guild: %s with %d channels", g.Name, len(g.Channels))
	}
	w.id(w.Say(w.general, w.ann, "hello"))
	if e := receive(w, messages); e.Content != "hello" || e.Author.GlobalName != "Ann Example" || e.Member == nil {
		t.Errorf("message: %+v", e.Message)
	}
	w.ok(d.UpdateStatusComplex(discordgo.UpdateStatusData{Status: "idle", Activities: []*discordgo.Activity{}}))
	w.ok(d.Close())
	w.ok(w.bot.WaitOffline(w.ctx))
	same(t, "resumed", w.bot.Counts().Resumed, 0)
}
