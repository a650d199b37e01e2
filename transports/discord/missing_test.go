package discord

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/fake"
)

// A switch that is turned off in the developers' portal is named, and no other.
func TestIntentsTurnedOffAreNamed(t *testing.T) {
	names := map[fake.Intents]string{fake.IntentPresences: "Presence Intent", fake.IntentMembers: "Server Members Intent", fake.IntentContent: "Message Content Intent"}
	for off, name := range names {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			_, k := w.open(w.link())
			w.bot.Allow(fake.PrivilegedIntents &^ off)
			w.bot.Close(4014)
			k.Await(t, "needs login", func() bool { return k.Reached == transports.NeedsLogin })
			k.Lock()
			defer k.Unlock()
			for other, word := range names {
				if strings.Contains(k.Cause.Error(), word) != (other == off) {
					t.Errorf("%s: %v", word, k.Cause)
				}
			}
		})
	}
}

// A bot in no server reports how to invite it, and works once it is invited.
func TestBotInNoServer(t *testing.T) {
	w := newWorld(t)
	w.RemoveMember(w.guild, w.bot.ID())
	_, k := w.open(w.link())
	k.Await(t, "a notice", func() bool {
		return len(k.Notices) == 1 && strings.Contains(k.Notices[0], "client_id="+string(w.bot.ID())+"&scope=bot&permissions=")
	})
	w.bot.Install(w.guild, fake.BridgePermissions)
	w.say(w.general, w.ann, "welcome")
	k.Event(t, "message welcome")
}

// Without the permission for webhooks the bot sends other people's messages, which is reported for each channel
// and does not ask Discord in vain for each message.
func TestChannelsWithoutWebhooksAreReported(t *testing.T) {
	w := newWorld(t)
	w.bot.Permit(w.guild, fake.EverybodysPermissions)
	s, k := w.open(w.link())
	refused := w.Refused()
	for _, text := range []string{"one", "two", "three"} {
		m := say(w.general, text, "client-"+text)
		m.Author = &transports.Author{Name: "Juliet"}
		if _, err := s.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.Transcript(w.general); len(got) != 3 || !strings.Contains(got[2].Text, "Juliet") {
		t.Errorf("%+v", got)
	}
	k.Lock()
	if len(k.Notices) != 1 || !strings.Contains(k.Notices[0], "Manage Webhooks") || !strings.Contains(k.Notices[0], "#general") {
		t.Errorf("%q", k.Notices)
	}
	k.Unlock()
	if n := w.Refused() - refused; n != 1 {
		t.Errorf("Discord refused %d calls, want one", n)
	}
	w.bot.Permit(w.guild, fake.BridgePermissions)
	s.mu.Lock()
	for channel := range s.noWebhook {
		s.noWebhook[channel] = time.Now() // the time has passed
	}
	s.mu.Unlock()
	m := say(w.general, "four", "client-four")
	m.Author = &transports.Author{Name: "Juliet"}
	if _, err := s.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if got := w.Transcript(w.general); got[3].Name != "Juliet" {
		t.Errorf("%+v", got[3])
	}
}

// When the network does not answer while linking, the step fails in time, with an error of class Retry.
func TestLinkingWithoutAnAnswer(t *testing.T) {
	w := newWorld(t)
	hang := w.Inject("GET /users/@me", -1, fake.Hang())
	defer hang.Release()
	w.net.http.Timeout = 100 * time.Millisecond
	login, err := w.net.StartLogin(context.Background(), transports.LoginRequest{Flow: "bot"})
	w.must(err)
	if _, err := login.Next(t.Context(), map[string]string{"token": w.bot.Token()}); transports.ClassOf(err) != transports.Retry {
		t.Errorf("%v", err)
	}
}
