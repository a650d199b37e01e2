package fake_test

import (
	"context"
	"testing"

	"github.com/coder/websocket"

	"github.com/dragoman-im/dragoman/transports/discord/fake"
)

// BenchmarkEvents is one message from a user to a bot's connection: what the fake server
// costs where a gateway is measured with it.
func BenchmarkEvents(b *testing.B) {
	s := fake.New(fake.Options{})
	if err := s.Start(); err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	ann := s.AddUser(fake.User{Name: "ann"})
	guild := s.AddGuild("Acme", ann)
	general := s.AddChannel(guild, fake.Channel{Name: "general"})
	bot := s.AddBot(fake.App{Name: "bridge"})
	bot.Install(guild, fake.BridgePermissions)
	ctx := context.Background()
	ws, _, err := websocket.Dial(ctx, "ws"+s.URL()[4:]+"/?v=10&encoding=json", nil)
	if err != nil {
		b.Fatal(err)
	}
	defer ws.CloseNow()
	ws.SetReadLimit(1 << 20)
	identify := `{"op":2,"d":{"token":"` + bot.Token() + `","intents":512,"properties":{"os":"a","browser":"b","device":"c"}}}`
	if err := ws.Write(ctx, websocket.MessageText, []byte(identify)); err != nil {
		b.Fatal(err)
	}
	for range 2 { // HELLO and READY
		if _, _, err := ws.Read(ctx); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if _, err := s.Say(general, ann, "line"); err != nil {
			b.Fatal(err)
		}
		if _, _, err := ws.Read(ctx); err != nil {
			b.Fatal(err)
		}
	}
}
