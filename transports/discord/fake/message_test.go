package fake_test

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bwmarrin/discordgo"

	"github.com/dragoman-im/dragoman/transports/discord/fake"
)

func TestDiscordgoMessages(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{Unlimited: true})
	d := w.rest(w.bot)
	general := text(w.general)

	sent := must[*discordgo.Message](t)(d.ChannelMessageSendComplex(general, &discordgo.MessageSend{
		Content: "see https://example.org", AllowedMentions: &discordgo.MessageAllowedMentions{},
		Files: []*discordgo.File{{Name: "two words.txt", ContentType: "text/plain", Reader: strings.NewReader("file")}},
	}))
	if sent.Author.ID != text(w.bot.ID()) || len(sent.Attachments) != 1 || sent.Attachments[0].Filename != "two_words.txt" {
		t.Errorf("sent: %+v", sent)
	}
	reply := must[*discordgo.Message](t)(d.ChannelMessageSendReply(general, "answer", sent.Reference()))
	if reply.ReferencedMessage == nil || reply.ReferencedMessage.ID != sent.ID {
		t.Errorf("reply: %+v", reply)
	}
	if edited := must[*discordgo.Message](t)(d.ChannelMessageEdit(general, reply.ID, "better")); edited.Content != "better" || edited.EditedTimestamp == nil {
		t.Errorf("edited: %+v", edited)
	}
	w.ok(d.MessageReactionAdd(general, sent.ID, "👍"))
	emoji := w.AddEmoji(w.guild, "party")
	w.ok(d.MessageReactionAdd(general, sent.ID, "party:"+text(emoji)))
	w.ok(w.React(w.general, fake.ID(sent.ID), w.ann, "👍"))
	got := must[*discordgo.Message](t)(d.ChannelMessage(general, sent.ID))
	if len(got.Reactions) != 2 || got.Reactions[0].Count != 2 || !got.Reactions[0].Me || len(got.Embeds) != 1 {
		t.Errorf("message: %+v", got)
	}
	w.ok(d.ChannelTyping(general))
	w.ok(d.ChannelMessageDelete(general, reply.ID))
	_, err := d.ChannelMessage(general, reply.ID)
	if e, ok := err.(*discordgo.RESTError); !ok || e.Message.Code != discordgo.ErrCodeUnknownMessage {
		t.Errorf("deleted message: %v", err)
	}
}

func TestDiscordgoChannels(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{Unlimited: true})
	d := w.rest(w.bot)
	guild := text(w.guild)
	must[*discordgo.User](t)(d.User("@me"))
	must[[]*discordgo.UserGuild](t)(d.UserGuilds(200, "", "", true))
	if g := must[*discordgo.Guild](t)(d.Guild(guild)); g.Name != "Acme" || len(g.Roles) != 2 {
		t.Errorf("guild: %+v", g)
	}
	if list := must[[]*discordgo.Channel](t)(d.GuildChannels(guild)); len(list) != 1 || list[0].Topic != "All and nothing" {
		t.Errorf("channels: %+v", list)
	}
	if list := must[[]*discordgo.Member](t)(d.GuildMembers(guild, "", 1000)); len(list) != 4 {
		t.Errorf("%d members", len(list))
	}
	must[*discordgo.Channel](t)(d.Channel(text(w.general)))
	must[*discordgo.GatewayBotResponse](t)(d.GatewayBot())
	must[*discordgo.Application](t)(d.Application("@me"))
	dm := must[*discordgo.Channel](t)(d.UserChannelCreate(text(w.ann)))
	must[*discordgo.Message](t)(d.ChannelMessageSend(dm.ID, "hello"))
	if got := w.Transcript(w.DM(w.bot.ID(), w.ann)); len(got) != 1 || got[0].Text != "hello" || got[0].Guild != "" {
		t.Errorf("direct: %+v", got)
	}
}

func TestDirectRefusals(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{Unlimited: true})
	unrelated := w.AddUser(fake.User{Name: "stranger"})
	open := func(u fake.ID) string {
		return w.call("POST", "/users/@me/channels", m{"recipient_id": u}).body["id"].(string)
	}
	w.refused("POST", path("channels", open(unrelated), "messages"), m{"content": "x"}, 403, 50278)
	w.refused("POST", "/users/@me/channels", m{"recipient_id": "1"}, 400, 50033)
	other := w.AddBot(fake.App{Name: "other"})
	w.refused("POST", "/users/@me/channels", m{"recipient_id": other.ID()}, 403, 50007)
	between := w.DM(w.ann, w.bob)
	w.refused("GET", path("channels", between, "messages"), nil, 403, 50001)
}

func TestAttachmentLinks(t *testing.T) {
	t.Parallel()
	now := time.Now()
	w := newTestDiscord(t, fake.Options{Now: func() time.Time { return now }})
	id := w.id(w.Post(w.general, w.ann, fake.Post{Files: []fake.File{{Name: "a.txt", Data: []byte("content"), Description: "a file"}}}))
	link := func() string {
		a := w.call("GET", path("channels", w.general, "messages", id), nil)
		return a.body["attachments"].([]any)[0].(m)["url"].(string)
	}
	fetch := func(url string) (int, []byte) {
		r, err := http.NewRequestWithContext(w.ctx, "GET", url, nil)
		w.ok(err)
		a, err := w.send(r)
		w.ok(err)
		return a.status, a.raw
	}
	first := link()
	if status, data := fetch(first); status != 200 || string(data) != "content" {
		t.Errorf("fresh link: %d %q", status, data)
	}
	if status, _ := fetch(strings.Replace(first, "a.txt", "b.txt", 1)); status != 404 {
		t.Errorf("forged link: %d", status)
	}
	w.ExpireLinks()
	if status, _ := fetch(first); status != 404 {
		t.Errorf("expired link: %d", status)
	}
	second := link()
	if status, _ := fetch(second); status != 200 {
		t.Errorf("fetched anew: %d", status)
	}
}

func TestLinksExpire(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{LinkTTL: time.Nanosecond})
	id := w.id(w.Post(w.general, w.ann, fake.Post{Files: []fake.File{{Name: "a.txt", Data: []byte("content")}}}))
	a := w.call("GET", path("channels", w.general, "messages", id), nil)
	r, err := http.NewRequestWithContext(w.ctx, "GET", a.body["attachments"].([]any)[0].(m)["proxy_url"].(string), nil)
	w.ok(err)
	if got, err := w.send(r); err != nil || got.status != 404 {
		t.Errorf("old link: %d %v", got.status, err)
	}
}

func TestUploadTooLarge(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{})
	d := w.rest(w.bot)
	_, err := d.ChannelFileSend(text(w.general), "big.bin", bytes.NewReader(make([]byte, 11<<20)))
	if e, ok := err.(*discordgo.RESTError); !ok || e.Message == nil || e.Message.Code != 40005 {
		t.Errorf("11 MiB: %v", err)
	}
}

func TestWebhooks(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{Unlimited: true})
	d := w.rest(w.bot)
	hook := must[*discordgo.Webhook](t)(d.WebhookCreate(text(w.general), "bridge", ""))
	sent := must[*discordgo.Message](t)(d.WebhookExecute(hook.ID, hook.Token, true, &discordgo.WebhookParams{
		Content: "hi", Username: "Ann from XMPP", AvatarURL: "https://example.org/a.png", AllowedMentions: &discordgo.MessageAllowedMentions{},
	}))
	if sent.WebhookID != hook.ID || sent.Author.Username != "Ann from XMPP" || sent.Author.Avatar == "" {
		t.Errorf("executed: %+v", sent)
	}
	changed := "hello"
	must[*discordgo.Message](t)(d.WebhookMessageEdit(hook.ID, hook.Token, sent.ID, &discordgo.WebhookEdit{Content: &changed}))
	got := w.Transcript(w.general)
	if len(got) != 1 || got[0].Text != "hello" || got[0].Name != "Ann from XMPP" || !got[0].Webhook || got[0].Avatar != "https://example.org/a.png" {
		t.Errorf("transcript: %+v", got)
	}
	w.refused("PATCH", path("channels", w.general, "messages", sent.ID), m{"content": "x"}, 403, 50005)
	w.ok(d.WebhookMessageDelete(hook.ID, hook.Token, sent.ID))
	if m := must[*discordgo.Message](t)(d.WebhookExecute(hook.ID, hook.Token, false, &discordgo.WebhookParams{Content: "quiet"})); m != nil && m.ID != "" {
		t.Errorf("without wait there is no message: %+v", m)
	}
	if list := must[[]*discordgo.Webhook](t)(d.ChannelWebhooks(text(w.general))); len(list) != 1 || list[0].Token != hook.Token {
		t.Errorf("list: %+v", list)
	}
	for _, name := range []string{"clyde", "My Discord", "a@b", "a#b", "a:b", "everyone", strings.Repeat("x", 81)} {
		w.refused("POST", path("webhooks", hook.ID, hook.Token)+"?wait=true", m{"content": "x", "username": name}, 400, 50035)
	}
	for range 14 {
		w.call("POST", path("channels", w.general, "webhooks"), m{"name": "another"})
	}
	w.refused("POST", path("channels", w.general, "webhooks"), m{"name": "too many"}, 400, 30007)
	w.DeleteWebhooks(w.general)
	w.refused("POST", path("webhooks", hook.ID, hook.Token), m{"content": "x"}, 404, 10015)
}

func TestWebhookToOthersBots(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{Unlimited: true})
	hook := w.call("POST", path("channels", w.general, "webhooks"), m{"name": "bridge"})
	other := w.AddBot(fake.App{Name: "other"})
	other.Install(w.guild, fake.BridgePermissions)
	list := must[[]*discordgo.Webhook](t)(w.rest(other).ChannelWebhooks(text(w.general)))
	if len(list) != 1 || list[0].ID != hook.body["id"] || list[0].Token != "" {
		t.Errorf("another's webhook has no token: %+v", list)
	}
}

func TestThreadsAndForums(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{Unlimited: true})
	d := w.rest(w.bot)
	start := w.id(w.Say(w.general, w.ann, "start"))
	thread := w.id(w.StartThread(w.general, start, w.ann, "a thread"))
	forum := w.AddChannel(w.guild, fake.Channel{Name: "ideas", Kind: fake.Forum})
	post := text(w.id(w.ForumPost(forum, w.ann, "an idea", fake.Post{Text: "first"})))
	if got := w.Transcript(fake.ID(post)); len(got) != 1 || text(got[0].ID) != post {
		t.Errorf("post: %+v", got)
	}
	if list := must[*discordgo.ThreadsList](t)(d.GuildThreadsActive(text(w.guild))); len(list.Threads) != 2 {
		t.Errorf("%d active threads", len(list.Threads))
	}

	hook := w.call("POST", path("channels", forum, "webhooks"), m{"name": "bridge"}).body
	at := path("webhooks", hook["id"], hook["token"])
	w.refused("POST", at, m{"content": "x"}, 400, 220001)
	w.refused("POST", at+"?thread_id="+post, m{"content": "x", "thread_name": "y"}, 400, 220002)
	w.refused("POST", at+"?thread_id="+text(thread), m{"content": "x"}, 404, 10003)
	made := w.call("POST", at+"?wait=true", m{"content": "x", "thread_name": "by a webhook"})
	if made.status != 200 || made.body["channel_id"] != made.body["id"] {
		t.Errorf("post by webhook: %d %s", made.status, made.raw)
	}
	sent := w.call("POST", at+"?wait=true&thread_id="+post, m{"content": "in the thread"}).body["id"].(string)
	w.refused("PATCH", at+"/messages/"+sent, m{"content": "y"}, 404, 10008)
	if a := w.call("PATCH", at+"/messages/"+sent+"?thread_id="+post, m{"content": "y"}); a.body["content"] != "y" {
		t.Errorf("edit in a thread: %s", a.raw)
	}
	if a := w.call("DELETE", at+"/messages/"+sent+"?thread_id="+post, nil); a.status != 204 {
		t.Errorf("delete in a thread: %d", a.status)
	}
	w.refused("POST", path("webhooks", w.call("POST", path("channels", w.general, "webhooks"), m{"name": "b"}).body["id"], "x"), m{"content": "x"}, 401, 50027)
}

func TestPrivateThread(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{})
	w.bot.Permit(w.guild, fake.EverybodysPermissions)
	thread := w.id(w.StartPrivateThread(w.general, w.ann, "secret"))
	w.refused("GET", path("channels", thread, "messages"), nil, 403, 50001)
	w.JoinThread(thread, w.bot.ID(), true)
	if a := w.call("GET", path("channels", thread, "messages"), nil); a.status != 200 {
		t.Errorf("as a member: %d", a.status)
	}
}

func TestUserActions(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{})
	first := w.id(w.Say(w.general, w.ann, "first"))
	if err := w.Edit(w.general, first, w.bob, "x"); err == nil {
		t.Error("Bob edited Ann's message")
	}
	if err := w.Delete(w.general, first, w.bob); err == nil {
		t.Error("Bob deleted Ann's message")
	}
	w.ok(w.Edit(w.general, first, w.ann, "changed"))
	w.ok(w.React(w.general, first, w.bob, "❤️"))
	w.id(w.Post(w.general, w.bob, fake.Post{Text: "second", ReplyTo: first}))
	got := w.Transcript(w.general)
	if len(got) != 2 || got[0].Text != "changed" || got[0].Edited.IsZero() || got[1].ReplyTo != first {
		t.Errorf("transcript: %+v", got)
	}
	if r := got[0].Reactions; len(r) != 1 || r[0].Emoji != "❤️" || !slices.Equal(r[0].Users, []fake.ID{w.bob}) {
		t.Errorf("reactions: %+v", r)
	}
	if a := w.call("GET", path("channels", w.general, "messages"), nil); len(a.list) != 2 {
		t.Errorf("by the API: %s", a.raw)
	}
	if _, err := w.Say(w.general, w.ann, strings.Repeat("x", 2001)); err == nil {
		t.Error("2,001 characters")
	}
	if name := got[0].Name; name != "Ann Example" {
		t.Errorf("name %q", name)
	}
	w.SetNick(w.guild, w.ann, "Annie")
	if name := w.Transcript(w.general)[0].Name; name != "Annie" {
		t.Errorf("name with a nickname: %q", name)
	}
}

func TestMessageHooks(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{})
	w.OnMessage(func(x fake.Message) {
		if x.Bot && x.Text == "ping" {
			if _, err := w.Say(x.Channel, w.ann, "pong"); err != nil {
				t.Error(err)
			}
		}
	})
	w.call("POST", path("channels", w.general, "messages"), m{"content": "ping"})
	if _, err := w.WaitMessage(w.ctx, w.general, func(x fake.Message) bool { return x.Author == w.ann && x.Text == "pong" }); err != nil {
		t.Fatal(err)
	}
}
