package discord

import (
	"errors"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/fake"
)

// The bot changes the topic of a channel, and removes messages of others, where it has the permissions; what it may do is known before it is tried.
func TestRightsInAChannel(t *testing.T) {
	w := newWorld(t)
	s, k := w.open(w.link())
	room := transports.RoomID(w.general)
	rights := func() transports.Caps { return s.Narrow(room, w.net.Info().Caps) }
	k.Await(t, "the guild", func() bool { return rights().Moderate && rights().CanChange(transports.ChangeTopic) })
	change := func(text string) error {
		_, err := s.Apply(t.Context(), transports.Change{Kind: transports.ChangeTopic, Room: room, Text: text})
		return err
	}
	w.must(change("Tea & <cake>"))
	if c, _ := w.Channel(w.general); c.Topic != "Tea & <cake>" {
		t.Errorf("the topic is %q", c.Topic)
	}
	refused := func(err error, text string) {
		t.Helper()
		var e *transports.Error
		if !errors.As(err, &e) || e.Class != transports.Refused || !strings.Contains(e.Text, text) {
			t.Errorf("%v", err)
		}
	}
	refused(change(strings.Repeat("ä", maxTopic+1)), "at most 1024 characters")
	_, err := s.Apply(t.Context(), transports.Change{Kind: transports.ChangeName, Room: room, Text: "other"})
	refused(err, "cannot be changed")
	w.bot.Permit(w.guild, fake.BridgePermissions&^(fake.ManageChannels|fake.ManageMessages))
	refused(change("Coffee"), "permission")
	k.Await(t, "the lost permissions", func() bool { return !rights().Moderate && !rights().CanChange(transports.ChangeTopic) })
	if c, _ := w.Channel(w.general); c.Topic != "Tea & <cake>" {
		t.Errorf("the topic is %q", c.Topic)
	}
}
