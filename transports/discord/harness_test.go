package discord

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/fake"
	"github.com/dragoman-im/dragoman/transports/discord/fake/conformance"
	"github.com/dragoman-im/dragoman/transports/recorder"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// world is a fake server with one guild, two people and a channel.
type world struct {
	*fake.Server
	t        *testing.T
	guild    fake.ID
	ann, ben fake.ID
	general  fake.ID
	bot      *fake.Bot
	net      *Network
}

func newWorld(t *testing.T, change ...func(*fake.Options)) *world {
	t.Helper()
	t.Parallel()
	o := fake.Options{Checker: conformance.New(t), Heartbeat: 500 * time.Millisecond, Unlimited: true}
	for _, c := range change {
		c(&o)
	}
	w := &world{t: t, Server: fake.New(o)}
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Server.Close(); err != nil {
			t.Error(err)
		}
	})
	owner := w.AddUser(fake.User{Name: "owner"})
	w.ann = w.AddUser(fake.User{Name: "ann", Display: "Ann Example", Avatar: true})
	w.ben = w.AddUser(fake.User{Name: "ben"})
	w.guild = w.AddGuild("Acme", owner)
	w.AddMember(w.guild, w.ann)
	w.AddMember(w.guild, w.ben)
	w.general = w.AddChannel(w.guild, fake.Channel{Name: "general", Topic: "All things"})
	w.bot = w.AddBot(fake.App{Name: "bridge", Allowed: fake.PrivilegedIntents})
	w.bot.Install(w.guild, fake.BridgePermissions)
	var err error
	w.net, err = New(Options{
		APIURL: w.APIURL(), Timeout: 5 * time.Second, RetryMin: 10 * time.Millisecond, RetryMax: 50 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) link() transports.Login {
	w.t.Helper()
	return recorder.Link(w.t, w.net, "bot", map[string]string{"token": w.bot.Token()})
}

// open opens a login and waits until it is connected.
func (w *world) open(login transports.Login) (*client, *recorder.Sink) {
	w.t.Helper()
	s, k := recorder.Open(w.t, w.net, login)
	return s.(*client), k
}

func (w *world) say(channel, who fake.ID, text string) string {
	w.t.Helper()
	id, err := w.Say(channel, who, text)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(id)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func say(channel fake.ID, text, id string) transports.Outgoing {
	return transports.Outgoing{
		Room: transports.RoomID(channel), ClientID: id, Attempt: 1, Since: time.Now(), Text: richtext.ParseStyling(text),
		Known: func(transports.MessageID) bool { return false },
	}
}

// edit changes a message, all of which has to fit.
func edit(s *client, message transports.MessageRef, m transports.Outgoing) error {
	rest, err := s.Edit(context.Background(), message, m)
	if len(rest) > 0 {
		return fmt.Errorf("the edit left %q", rest.String())
	}
	return err
}
