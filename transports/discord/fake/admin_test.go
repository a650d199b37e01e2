package fake_test

import (
	"testing"

	"github.com/dragoman-im/dragoman/transports/discord/fake"
)

func TestMessageAdministration(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{Unlimited: true})
	messages := path("channels", w.general, "messages")
	mine := w.call("POST", messages, m{"content": "mine"}).body["id"].(string)
	anns := w.id(w.Post(w.general, w.ann, fake.Post{Text: "Ann's", Files: []fake.File{{Name: "a.txt", Data: []byte("x")}}}))
	w.call("PUT", messages+"/"+mine+"/reactions/%F0%9F%91%8D/@me", nil)
	w.call("DELETE", messages+"/"+mine+"/reactions/%F0%9F%91%8D/@me", nil)
	if got := w.Transcript(w.general)[0].Reactions; len(got) != 0 {
		t.Errorf("reactions: %v", got)
	}
	for i := range 20 {
		w.ok(w.React(w.general, anns, w.ann, string(rune(0x1f600+i))))
	}
	w.refused("PUT", messages+"/"+text(anns)+"/reactions/%F0%9F%91%8D/@me", nil, 400, 30010)
	w.Allow(w.general, w.bot.ID(), 0, fake.AddReactions|fake.ReadMessageHistory|fake.ManageMessages)
	w.refused("PUT", messages+"/"+text(anns)+"/reactions/%F0%9F%98%80/@me", nil, 403, 50013)
	w.refused("DELETE", messages+"/"+text(anns), nil, 403, 50013)
	w.refused("POST", messages, m{"content": "x", "message_reference": m{"message_id": anns}}, 403, 160002)
	if a := w.call("GET", messages, nil); a.status != 200 || len(a.list) != 0 {
		t.Errorf("history without the permission: %d %s", a.status, a.raw)
	}
	w.Allow(w.general, w.bot.ID(), 0, 0)
	loose := w.call("POST", messages, m{"content": "x", "message_reference": m{"message_id": "1", "fail_if_not_exists": false}})
	if loose.status != 200 || loose.body["message_reference"] != nil {
		t.Errorf("a reply to nothing that need not be one: %s", loose.raw)
	}
	if a := w.call("DELETE", messages+"/"+text(anns), nil); a.status != 204 {
		t.Errorf("another's with the permission: %d", a.status)
	}
}

func TestWebhookAdministration(t *testing.T) {
	t.Parallel()
	w := newTestDiscord(t, fake.Options{Unlimited: true})
	const picture = "data:image/png;base64,iVBORw0KGgo="
	made := w.call("POST", path("channels", w.general, "webhooks"), m{"name": "bridge", "avatar": picture}).body
	if hash, _ := made["avatar"].(string); len(hash) != 32 {
		t.Errorf("avatar: %v", made["avatar"])
	}
	w.refused("POST", path("channels", w.general, "webhooks"), m{"name": "x", "avatar": "http://a"}, 400, 50035)
	byToken := path("webhooks", made["id"], made["token"])
	sent := w.call("POST", byToken+"?wait=true", m{"content": "<@" + w.ann + "> @everyone"})
	if sent.body["mention_everyone"] != false || len(sent.body["mentions"].([]any)) != 1 {
		t.Errorf("webhooks mention users only by default: %s", sent.raw)
	}
	w.refused("POST", byToken, m{"content": "x", "thread_name": "y"}, 400, 220003)
}
