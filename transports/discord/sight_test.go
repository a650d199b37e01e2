package discord

import (
	"slices"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/content"
	"github.com/dragoman-im/dragoman/transports/discord/fake"
	"github.com/dragoman-im/dragoman/transports/discord/rest"
	"github.com/dragoman-im/dragoman/transports/recorder"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// toldOf is the last thing that was reported of a room: its name, "gone", or "" where nothing was.
func reportedOf(k *recorder.Sink, id fake.ID) string {
	reported := ""
	for _, e := range k.Events {
		if e.Room != transports.RoomID(id) {
			continue
		}
		switch b := e.Body.(type) {
		case transports.RoomChanged:
			reported = string(e.Kind) + " " + b.Info.Name
		case transports.RoomGone:
			reported = string(e.Kind) + " gone"
		}
	}
	return reported
}

func awaitRoom(t *testing.T, k *recorder.Sink, id fake.ID, reported string) {
	t.Helper()
	k.Await(t, "room "+string(id)+" told as "+reported, func() bool { return reportedOf(k, id) == reported })
}

func (w *world) names(s *client) map[transports.RoomID]string {
	w.t.Helper()
	names := map[transports.RoomID]string{}
	w.must(s.Rooms(w.t.Context(), func(page []transports.RoomInfo) error {
		for _, r := range page {
			names[r.ID] = r.Name
		}
		return nil
	}))
	return names
}

func TestHiddenChannelsAreNoRooms(t *testing.T) {
	w := newWorld(t)
	secret := w.AddChannel(w.guild, fake.Channel{Name: "plans", Private: []fake.ID{w.ann}})
	start := w.say(secret, w.ann, "start")
	thread, err := w.StartThread(secret, fake.ID(start), w.ann, "details")
	w.must(err)
	later := w.AddChannel(w.guild, fake.Channel{Name: "later", Hidden: true})
	s, k := w.open(w.link())
	awaitRoom(t, k, w.general, "public general")
	nothing := func(id fake.ID) {
		t.Helper()
		if _, listed := w.names(s)[transports.RoomID(id)]; listed {
			t.Errorf("%s is listed", id)
		}
		if _, err := s.Room(t.Context(), transports.RoomID(id)); transports.ClassOf(err) != transports.Refused {
			t.Errorf("a description of %s: %v", id, err)
		}
		if _, err := s.History(t.Context(), transports.HistoryRequest{Room: transports.RoomID(id), Limit: 10}); transports.ClassOf(err) != transports.Refused {
			t.Errorf("the history of %s: %v", id, err)
		}
		if _, err := s.Send(t.Context(), say(id, "x", "c1")); transports.ClassOf(err) != transports.Refused {
			t.Errorf("a message to %s: %v", id, err)
		}
	}
	nothing(secret)
	nothing(later)
	if got := content.NewReader(s.state, nil, nil).Parse("see <#" + string(secret) + ">").Styling(); got != "see #"+string(secret) {
		t.Error(got)
	}

	// Sight is gained: of the channel and of its live threads.
	w.Allow(secret, w.bot.ID(), fake.ViewChannel|fake.ReadMessageHistory, 0)
	awaitRoom(t, k, secret, "private plans")
	awaitRoom(t, k, thread, "private plans › details")
	w.say(thread, w.ann, "in the thread")
	if e := k.Event(t, "message in the thread"); e.Room != transports.RoomID(thread) || e.Kind != transports.Private {
		t.Errorf("%+v", e)
	}
	if names := w.names(s); names[transports.RoomID(secret)] != "plans" {
		t.Errorf("%v", names)
	}

	// And lost again.
	w.Allow(secret, w.bot.ID(), 0, fake.ViewChannel)
	awaitRoom(t, k, secret, "private gone")
	awaitRoom(t, k, thread, "private gone")
	nothing(secret)
	nothing(thread)

	// One that was made hidden comes to light.
	w.Allow(later, w.bot.ID(), fake.ViewChannel, 0)
	awaitRoom(t, k, later, "private later")

	k.Lock()
	defer k.Unlock()
	for _, e := range k.Events {
		if c, ok := e.Body.(transports.RoomChanged); ok && strings.Contains(c.Info.Name, "hidden") {
			t.Errorf("a hidden channel is told of: %+v", c.Info)
		}
	}
}

func TestSightThatChangedWhileAway(t *testing.T) {
	w := newWorld(t)
	lost := w.AddChannel(w.guild, fake.Channel{Name: "lost"})
	deleted := w.AddChannel(w.guild, fake.Channel{Name: "deleted"})
	left := w.AddGuild("Left", w.ann)
	elsewhere := w.AddChannel(left, fake.Channel{Name: "elsewhere"})
	w.bot.Install(left, fake.BridgePermissions)
	_, k := w.open(w.link())
	for id, name := range map[fake.ID]string{lost: "lost", deleted: "deleted", elsewhere: "elsewhere"} {
		awaitRoom(t, k, id, "public "+name)
	}
	w.Outage(fake.Dropped)
	k.Await(t, "connecting", func() bool { return k.Reached == transports.Connecting })
	w.Allow(lost, w.bot.ID(), 0, fake.ViewChannel)
	w.DeleteChannel(deleted)
	w.RemoveMember(left, w.bot.ID())
	gained := w.AddChannel(w.guild, fake.Channel{Name: "gained"})
	w.must(w.Recover(t.Context(), true))
	awaitRoom(t, k, lost, "public gone")
	awaitRoom(t, k, deleted, "public gone")
	awaitRoom(t, k, elsewhere, "public gone")
	awaitRoom(t, k, gained, "public gained")
	k.Lock()
	defer k.Unlock()
	reported := 0
	for _, e := range k.Events {
		if _, ok := e.Body.(transports.RoomChanged); ok && e.Room == transports.RoomID(w.general) {
			reported++
		}
	}
	if reported != 1 {
		t.Errorf("a room that has not changed was told %d times", reported)
	}
}

// A room that becomes private is another place for the bridge than the public one.
func TestRoomsThatBecomePrivate(t *testing.T) {
	w := newWorld(t)
	_, k := w.open(w.link())
	awaitRoom(t, k, w.general, "public general")
	w.Allow(w.general, w.bot.ID(), fake.ViewChannel, 0)
	w.Allow(w.general, w.guild, 0, fake.ViewChannel)
	awaitRoom(t, k, w.general, "private general")
	w.say(w.general, w.guildOwner(), "among us")
	if e := k.Event(t, "message among us"); e.Kind != transports.Private {
		t.Errorf("%+v", e)
	}
	k.Lock()
	gone := false
	for _, e := range k.Events {
		if _, ok := e.Body.(transports.RoomGone); ok && e.Room == transports.RoomID(w.general) && e.Kind == transports.Public {
			gone = true
		}
	}
	k.Unlock()
	if !gone {
		t.Error("the public room is still there")
	}
	other := w.AddChannel(w.guild, fake.Channel{Name: "other"})
	awaitRoom(t, k, other, "public other")
	w.SetRole(w.guild, w.guild, fake.EverybodysPermissions&^fake.ViewChannel)
	awaitRoom(t, k, other, "private other")
}

func (w *world) guildOwner() fake.ID {
	for _, id := range w.Members(w.guild) {
		if id != w.ann && id != w.ben && id != w.bot.ID() {
			return id
		}
	}
	w.t.Fatal("no owner")
	return ""
}

func TestPrivateThreadsComeAndGo(t *testing.T) {
	w := newWorld(t)
	w.bot.Permit(w.guild, fake.EverybodysPermissions|fake.ManageWebhooks)
	s, k := w.open(w.link())
	thread, err := w.StartPrivateThread(w.general, w.ann, "secret")
	w.must(err)
	w.JoinThread(thread, w.bot.ID(), true)
	awaitRoom(t, k, thread, "private general › secret")
	w.say(thread, w.ann, "heard")
	k.Event(t, "message heard")
	w.RenameChannel(w.general, "lobby")
	awaitRoom(t, k, thread, "private lobby › secret")
	w.JoinThread(thread, w.bot.ID(), false)
	data := `{"id":"` + string(thread) + `","guild_id":"` + string(w.guild) + `","member_count":1,"removed_member_ids":["` + string(w.bot.ID()) + `"]}`
	w.must(s.onThreadMembers(t.Context(), &gatewayEvent{key: "x/1", data: []byte(data)}))
	awaitRoom(t, k, thread, "private gone")
	if _, err := s.Room(t.Context(), transports.RoomID(thread)); transports.ClassOf(err) != transports.Refused {
		t.Error(err)
	}
}

// A channel that the bot may not see is asked for once, not for each event.
func TestUnseenChannelsAreAskedForOnce(t *testing.T) {
	w := newWorld(t)
	hidden := w.AddChannel(w.guild, fake.Channel{Name: "hidden", Hidden: true})
	s, _ := w.open(w.link())
	asked := w.Inject("GET /channels/{channel_id}", -1, fake.Answer(403, rest.CodeMissingAccess, "Missing Access"))
	for range 5 {
		c, err := s.channelOf(t.Context(), string(hidden))
		if c != nil || err != nil {
			t.Errorf("%v %v", c, err)
		}
	}
	if asked.Hits() != 1 {
		t.Errorf("asked %d times", asked.Hits())
	}
}

func TestNamesInTexts(t *testing.T) {
	w := newWorld(t)
	role := w.AddRole(w.guild, "crew", 0)
	w.SetNick(w.guild, w.ben, "Benny")
	emoji := w.AddEmoji(w.guild, "blob")
	s, k := w.open(w.link())
	awaitRoom(t, k, w.general, "public general")
	w.say(w.general, w.ann, "<@"+string(w.ben)+"> <@&"+string(role)+"> <#"+string(w.general)+"> <:blob:"+string(emoji)+">")
	e := k.Event(t, "message @Benny @crew #general :blob:")
	ids := []string{}
	m := e.Body.(transports.Message)
	m.Text.Walk(func(n *richtext.Node) {
		if n.ID != "" {
			ids = append(ids, n.ID)
		}
	})
	if len(ids) != 4 {
		t.Errorf("%v", ids)
	}
	// The guild's own emoji can be reacted with.
	w.must(s.React(t.Context(), transports.MessageRef{Room: transports.RoomID(w.general), ID: m.ID}, transports.ReactionChange{Add: []string{":blob:"}}))
	if got := w.message(m.ID).Reactions; len(got) != 1 || got[0].Emoji != "blob:"+string(emoji) {
		t.Errorf("%+v", got)
	}
	w.must(s.React(t.Context(), transports.MessageRef{Room: transports.RoomID(w.general), ID: m.ID}, transports.ReactionChange{Remove: []string{":blob:", ":nothing:"}}))
	if err := s.React(t.Context(), transports.MessageRef{Room: transports.RoomID(w.general), ID: m.ID}, transports.ReactionChange{Add: []string{":nothing:"}}); transports.ClassOf(err) != transports.Refused {
		t.Error(err)
	}
	w.AddEmoji(w.guild, "fresh")
	k.Await(t, "the new emoji", func() bool { return s.state.Emoji(string(w.guild), "fresh") != "" })
	w.must(s.React(t.Context(), transports.MessageRef{Room: transports.RoomID(w.general), ID: m.ID}, transports.ReactionChange{Add: []string{":fresh:"}}))
}

// The roles of a member that have names are shown with it; @everyone is none of them.
func TestRolesOfMembers(t *testing.T) {
	w := newWorld(t)
	crew := w.AddRole(w.guild, "crew", 0)
	cy := w.AddUser(fake.User{Name: "cy"})
	w.AddMember(w.guild, cy, crew)
	s, k := w.open(w.link())
	awaitRoom(t, k, w.general, "public general")
	if err := s.Contacts(t.Context(), func([]transports.UserInfo) error { return nil }); err != nil {
		t.Fatal(err)
	}
	page, err := s.Members(t.Context(), transports.MemberRequest{Room: transports.RoomID(w.general), Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, m := range page.Members {
		want := []transports.Badge(nil)
		if m.User.ID == transports.UserID(cy) {
			found, want = true, []transports.Badge{{ID: string(crew), Title: "crew"}}
		}
		if !slices.Equal(m.Badges, want) && m.User.ID != transports.UserID(w.bot.ID()) { // the bot has a role of its own
			t.Errorf("%s: %v", m.User.Name, m.Badges)
		}
	}
	if !found {
		t.Error("the member is not listed")
	}
}
