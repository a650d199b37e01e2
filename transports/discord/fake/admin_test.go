package fake_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/dragoman-im/dragoman/transports/discord/fake"
)

func TestOverwritesAndCategories(t *testing.T) {
	t.Parallel()
	w := settle(t, fake.Options{Unlimited: true})
	category := w.AddChannel(w.guild, fake.Channel{Name: "Group", Kind: fake.Category})
	role := w.AddRole(w.guild, "crew", 0)
	made := w.call("POST", path("guilds", w.guild, "channels"), m{
		"name": "inside", "type": 0, "parent_id": category, "rate_limit_per_user": 5, "nsfw": true, "position": 3,
		"permission_overwrites": []m{{"id": w.guild, "type": 0, "deny": "1024"}, {"id": role, "type": 0, "allow": "1024"}, {"id": w.ann, "type": 1, "allow": "1024", "deny": "2048"}},
	})
	if made.status != 201 || made.body["parent_id"] != text(category) {
		t.Fatalf("made: %d %s", made.status, made.raw)
	}
	id := fake.ID(made.body["id"].(string))
	w.refused("GET", path("channels", id), nil, 403, 50001)
	if _, err := w.Say(id, w.ann, "x"); err == nil {
		t.Error("Ann sees but may not write")
	}
	if _, err := w.Say(id, w.bob, "x"); err == nil {
		t.Error("Bob does not see it")
	}
	w.SetRoles(w.guild, w.bob, role)
	w.id(w.Say(id, w.bob, "by the role"))
	for what, body := range map[string]m{
		"parent that is none":  {"parent_id": w.general},
		"no name":              {"name": ""},
		"topic of 1,025":       {"topic": fmt.Sprintf("%01025d", 1)},
		"slowmode in words":    {"rate_limit_per_user": "often"},
		"overwrite for nobody": {"permission_overwrites": []m{{"type": 0}}},
	} {
		t.Run(what, func(t *testing.T) { w.refused("PATCH", path("channels", w.general), body, 400, 50035) })
	}
	w.refused("POST", path("guilds", w.guild, "channels"), m{"name": "x", "type": 14}, 400, 50035)
	if a := w.call("GET", path("channels", w.general), nil); a.body["name"] != "general" {
		t.Errorf("after refused changes: %s", a.raw)
	}
	dm := w.call("POST", "/users/@me/channels", m{"recipient_id": w.ann}).body["id"]
	w.refused("PATCH", path("channels", dm), m{"name": "x"}, 403, 50003)
	w.refused("POST", path("channels", dm, "webhooks"), m{"name": "x"}, 403, 50003)
	w.refused("POST", path("channels", dm, "messages", "bulk-delete"), m{"messages": []string{"1", "2"}}, 403, 50003)
	w.refused("POST", path("channels", dm, "invites"), m{}, 403, 50003)
	w.refused("POST", path("channels", dm, "threads"), m{"name": "x"}, 403, 50003)
	w.refused("POST", path("channels", category, "messages"), m{"content": "x"}, 400, 50008)
	w.DeleteChannel(category)
	if info, _ := w.Channel(id); info.Parent != "" {
		t.Errorf("parent after the category went: %v", info.Parent)
	}
}

func TestThreadAdministration(t *testing.T) {
	t.Parallel()
	w := settle(t, fake.Options{Unlimited: true})
	start := w.id(w.Say(w.general, w.ann, "start"))
	thread := w.id(w.StartThread(w.general, start, w.ann, "thread"))
	at := path("channels", thread)
	if a := w.call("PATCH", at, m{"name": "renamed", "archived": true, "locked": true, "auto_archive_duration": 60}); a.status != 200 || a.body["name"] != "renamed" {
		t.Errorf("changed: %d %s", a.status, a.raw)
	}
	w.refused("PATCH", at, m{"name": "again"}, 400, 50083)
	w.refused("PUT", at+"/thread-members/@me", nil, 400, 50083)
	w.call("PATCH", at, m{"archived": false, "locked": false})
	w.call("PUT", at+"/thread-members/@me", nil)
	if a := w.call("GET", at+"/thread-members", nil); len(a.list) != 2 {
		t.Errorf("members: %s", a.raw)
	}
	w.refused("PUT", path("channels", w.general, "thread-members", "@me"), nil, 400, 50024)
	w.refused("POST", at+"/webhooks", m{"name": "x"}, 400, 50024)
	w.bot.Permit(w.guild, fake.EverybodysPermissions)
	w.refused("PATCH", at, m{"name": "x"}, 403, 50013)
	w.refused("DELETE", at, nil, 403, 50013)
	w.bot.Permit(w.guild, fake.BridgePermissions)
	if a := w.call("DELETE", at, nil); a.status != 200 {
		t.Errorf("deleted: %d", a.status)
	}
	w.refused("GET", at, nil, 404, 10003)
	if got := w.Transcript(w.general)[0]; got.Thread != "" {
		t.Errorf("the message still has a thread: %v", got.Thread)
	}
}

func TestMessageAdministration(t *testing.T) {
	t.Parallel()
	w := settle(t, fake.Options{Unlimited: true})
	messages := path("channels", w.general, "messages")
	mine := w.call("POST", messages, m{"content": "mine"}).body["id"].(string)
	anns := w.id(w.Post(w.general, w.ann, fake.Post{Text: "Ann's", Files: []fake.File{{Name: "a.txt", Data: []byte("x")}}}))
	if a := w.call("PATCH", messages+"/"+mine, m{"content": "", "embeds": []m{{"title": "only this"}}}); a.status != 200 || a.body["content"] != "" {
		t.Errorf("embeds alone: %d %s", a.status, a.raw)
	}
	w.refused("PATCH", messages+"/"+mine, m{"embeds": []m{}}, 400, 50006)
	w.call("PUT", messages+"/"+mine+"/reactions/%F0%9F%91%8D/@me", nil)
	w.call("DELETE", messages+"/"+mine+"/reactions/%F0%9F%91%8D/@me", nil)
	if got := w.Transcript(w.general)[0].Reactions; len(got) != 0 {
		t.Errorf("reactions: %v", got)
	}
	for i := range 20 {
		w.ok(w.React(w.general, anns, w.ann, string(rune(0x1f600+i))))
	}
	w.refused("PUT", messages+"/"+text(anns)+"/reactions/%F0%9F%91%8D/@me", nil, 400, 30010)
	w.Allow(w.general, w.bot.ID(), 0, fake.AddReactions|fake.ReadMessageHistory|fake.ManageMessages|fake.PinMessages)
	w.refused("PUT", messages+"/"+text(anns)+"/reactions/%F0%9F%98%80/@me", nil, 403, 50013)
	w.refused("DELETE", messages+"/"+text(anns), nil, 403, 50013)
	w.refused("PUT", messages+"/pins/"+text(anns), nil, 403, 50013)
	w.refused("POST", messages, m{"content": "x", "message_reference": m{"message_id": anns}}, 403, 160002)
	if a := w.call("GET", messages, nil); a.status != 200 || len(a.list) != 0 {
		t.Errorf("history without the permission: %d %s", a.status, a.raw)
	}
	w.Allow(w.general, w.bot.ID(), 0, 0)
	forward := w.call("POST", messages, m{"message_reference": m{"type": 1, "message_id": anns, "channel_id": w.general}})
	if forward.status != 200 || len(forward.body["message_snapshots"].([]any)) != 1 {
		t.Errorf("forward: %d %s", forward.status, forward.raw)
	}
	w.refused("POST", messages, m{"message_reference": m{"type": 1, "message_id": "1", "channel_id": w.general}}, 404, 10008)
	loose := w.call("POST", messages, m{"content": "x", "message_reference": m{"message_id": "1", "fail_if_not_exists": false}})
	if loose.status != 200 || loose.body["message_reference"] != nil {
		t.Errorf("a reply to nothing that need not be one: %s", loose.raw)
	}
	if a := w.call("DELETE", messages+"/"+text(anns), nil); a.status != 204 {
		t.Errorf("another's with the permission: %d", a.status)
	}
	if a := w.call("GET", messages+"/"+forward.body["id"].(string), nil); len(a.body["message_snapshots"].([]any)) != 1 {
		t.Errorf("a forward outlives the original: %s", a.raw)
	}
}

func TestWebhookAdministration(t *testing.T) {
	t.Parallel()
	w := settle(t, fake.Options{Unlimited: true})
	const picture = "data:image/png;base64,iVBORw0KGgo="
	made := w.call("POST", path("channels", w.general, "webhooks"), m{"name": "bridge", "avatar": picture}).body
	if hash, _ := made["avatar"].(string); len(hash) != 32 {
		t.Errorf("avatar: %v", made["avatar"])
	}
	w.refused("POST", path("channels", w.general, "webhooks"), m{"name": "x", "avatar": "http://a"}, 400, 50035)
	other := w.AddChannel(w.guild, fake.Channel{Name: "other"})
	byID := path("webhooks", made["id"])
	if a := w.call("PATCH", byID, m{"name": "moved", "channel_id": other, "avatar": nil}); a.body["channel_id"] != text(other) || a.body["avatar"] != nil {
		t.Errorf("moved: %s", a.raw)
	}
	same(t, "hooks there", len(w.Webhooks(other)), 1)
	byToken := path("webhooks", made["id"], made["token"])
	if a := w.call("GET", byToken, nil); a.body["user"] != nil || a.body["token"] != made["token"] {
		t.Errorf("by token: %s", a.raw)
	}
	sent := w.call("POST", byToken+"?wait=true", m{"content": "<@" + w.ann + "> @everyone"})
	if a := w.call("GET", byToken+"/messages/"+sent.body["id"].(string), nil); a.body["mention_everyone"] != false || len(a.body["mentions"].([]any)) != 1 {
		t.Errorf("webhooks mention users only by default: %s", a.raw)
	}
	if list := w.call("GET", path("guilds", w.guild, "webhooks"), nil).list; len(list) != 1 {
		t.Errorf("webhooks of the guild: %v", list)
	}
	w.refused("POST", byToken, m{"content": "x", "thread_name": "y"}, 400, 220003)
	if a := w.call("DELETE", byToken, nil); a.status != http.StatusNoContent {
		t.Errorf("deleted: %d", a.status)
	}
	w.refused("DELETE", byID, nil, 404, 10015)
	second := w.call("POST", path("channels", w.general, "webhooks"), m{"name": "second"}).body
	if a := w.call("DELETE", path("webhooks", second["id"]), nil); a.status != http.StatusNoContent {
		t.Errorf("deleted by the bot: %d", a.status)
	}
}
