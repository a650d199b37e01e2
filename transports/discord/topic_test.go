package discord

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/fake"
	"github.com/dragoman-im/dragoman/transports/recorder"
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

// After a session was resumed, nothing tells the roles of the bot: what it may do is not taken for nothing.
func TestRightsAfterResumption(t *testing.T) {
	w := newWorld(t)
	s, k := w.open(w.link())
	k.Await(t, "the guild", func() bool { return s.state.HasMember(string(w.guild), s.cred.Bot) })
	s.state.DropGuild(string(w.guild)) // as if it had never come
	if err := s.Rooms(t.Context(), func([]transports.RoomInfo) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if caps := s.Narrow(transports.RoomID(w.general), w.net.Info().Caps); !caps.Moderate || !caps.CanChange(transports.ChangeTopic) {
		t.Errorf("%+v", caps)
	}
	w.bot.Permit(w.guild, fake.BridgePermissions&^(fake.ManageChannels|fake.ManageMessages))
	if err := s.Contacts(t.Context(), func([]transports.UserInfo) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if caps := s.Narrow(transports.RoomID(w.general), w.net.Info().Caps); caps.Moderate || caps.CanChange(transports.ChangeTopic) {
		t.Errorf("with few rights: %+v", caps)
	}
}

// onDelivery is a Sink that looks at each event as it is delivered.
type onDelivery struct {
	*recorder.Sink
	look func(transports.Event)
}

func (d onDelivery) Deliver(ctx context.Context, e transports.Event) error {
	d.look(e)
	return d.Sink.Deliver(ctx, e)
}

// What the bot may do in a channel is known with the channel itself: a request that comes at that moment is not refused.
func TestRightsAreKnownWithTheChannel(t *testing.T) {
	w := newWorld(t)
	opened := make(chan *client, 1)
	var s *client
	checked := make(chan transports.Caps, 1)
	k := onDelivery{recorder.New(), func(e transports.Event) {
		if e.Room != transports.RoomID(w.general) {
			return
		}
		if s == nil {
			s = <-opened
		}
		select {
		case checked <- s.Narrow(e.Room, w.net.Info().Caps):
		default:
		}
	}}
	opened <- recorder.OpenWith(t, w.net, w.link(), k).(*client)
	if caps := <-checked; !caps.Moderate || !caps.CanChange(transports.ChangeTopic) {
		t.Errorf("%+v", caps)
	}
}
