package rooms_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/mailbox"
	"github.com/dragoman-im/dragoman/core/paging"
	"github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/room/affiliations"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/rooms"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// TestHiddenIsAsMissing checks that a hidden room and one that does not exist give the same answers to
// all kinds of stanzas.
func TestHiddenIsAsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		defer f.stop()
		f.enter("ann").configure("ann", "persistentroom=1").leave("ann").take()
		f.policy.create = func(jid.JID, jid.JID) (room.Snapshot, error) {
			return room.Snapshot{}, stanza.NotAllowed("Rooms are created by others.")
		}
		f.policy.sees = func(who jid.JID) (bool, error) { return who.Local() == "ann", nil }
		for _, xml := range []string{
			"<presence from='eve' to='%s/eve'><x xmlns='" + muc.NS + "'/></presence>",
			"<presence from='eve' to='%s'><x xmlns='" + muc.NS + "'/></presence>",
			"<presence from='eve' to='%s/eve'/>", "<presence from='eve' to='%s/eve' type='unavailable'/>",
			"<presence from='eve' to='%s' type='subscribe'/>", "<presence from='eve' to='%s/ann' type='probe'/>",
			"<message from='eve' to='%s' type='groupchat'><body>b</body></message>",
			"<message from='eve' to='%s/ann' type='chat'><body>b</body></message>",
			"<message from='eve' to='%s'><x xmlns='" + muc.NSUser + "'><decline/></x></message>",
			"<message from='eve' to='%s' type='error'/>",
			"<iq from='eve' to='%s' type='get'><query xmlns='" + disco.NSInfo + "'/></iq>",
			"<iq from='eve' to='%s' type='get'><query xmlns='" + disco.NSItems + "'/></iq>",
			"<iq from='eve' to='%s' type='set'><query xmlns='urn:xmpp:mam:2'/></iq>",
			"<iq from='eve' to='%s' type='get'><ping xmlns='" + muc.NSPing + "'/></iq>",
			"<iq from='eve' to='%s/ann' type='get'><ping xmlns='" + muc.NSPing + "'/></iq>",
			"<iq from='eve' to='%s' type='get'><query xmlns='" + muc.NSOwner + "'/></iq>",
			"<iq from='eve' to='%s' type='result'/>", "<iq from='eve' to='%s' type='get'/>",
		} {
			hidden := f.in(fmt.Sprintf(xml, "lobby")).take()
			missing := strings.ReplaceAll(f.in(fmt.Sprintf(xml, "nowhere")).take(), "nowhere", "lobby")
			if hidden != missing {
				t.Errorf("%s\nhidden:  %s\nmissing: %s", xml, hidden, missing)
			}
			request := !strings.Contains(xml, "type='error'") && !strings.Contains(xml, "type='result'") &&
				(!strings.HasPrefix(xml, "<presence") || !strings.Contains(xml, "type="))
			if (hidden != "") != request {
				t.Errorf("%s: answered %q", xml, hidden)
			}
		}
		f.in("<iq from='ann' to='lobby' type='get'><query xmlns='" + disco.NSInfo + "'/></iq>")
		f.wantHas("muc_persistent")
		f.policy.sees = func(jid.JID) (bool, error) { return false, errors.New("database is gone") }
		f.enter("ann").wantHas("internal-server-error")
		f.policy.sees, f.policy.create = func(jid.JID) (bool, error) { return false, nil }, nil
		f.enter("eve").wantHas("item-not-found") // although eve may create rooms
	})
}

func TestIdleRoomIsDroppedAndLoadedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		defer f.stop()
		opened := 0
		f.policy.open = func(jid.JID, *room.Snapshot) (rooms.Opened, error) {
			opened++
			return rooms.Opened{Owner: f.policy, Puppets: []occupants.Puppet{{ID: "net", Nick: "Net"}}}, nil
		}
		f.enter("ann").configure("ann", "persistentroom=1", "roomname=The lobby")
		f.in("<message type='groupchat' from='ann' to='lobby'><subject>news</subject></message>")
		time.Sleep(time.Hour)
		if s := f.Stats(); s.Keys != 1 || s.Running != 0 || opened != 1 {
			t.Errorf("a room in use: %+v, opened %d times", s, opened)
		}
		f.leave("ann")
		time.Sleep(4 * time.Minute)
		f.enter("ann").leave("ann")
		time.Sleep(4 * time.Minute)
		if s := f.Stats(); s.Keys != 1 || opened != 1 {
			t.Errorf("a room idle for four minutes: %+v, opened %d times", s, opened)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if s := f.Stats(); s.Keys != 0 {
			t.Errorf("an idle room: %+v", s)
		}
		f.take()
		f.enter("ann").wantHas("<subject>news</subject>", "affiliation='owner'", "lobby@rooms.example.org/Net")
		f.in("<iq from='bob' to='lobby' type='get'><query xmlns='" + disco.NSInfo + "'/></iq>").wantHas("The lobby")
		if opened != 2 {
			t.Errorf("opened %d times", opened)
		}
	})
}

func TestTemporaryRoomIsRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		var events []room.EventKind
		f.policy.notify = func(e room.Event) { events = append(events, e.Kind) }
		f.enter("ann").enter("bob").leave("ann")
		if len(f.store.rooms) != 1 {
			t.Errorf("store %v", f.store.rooms)
		}
		f.leave("bob")
		if len(f.store.rooms) != 0 || events[len(events)-1] != room.Destroyed {
			t.Errorf("store %v, events %v", f.store.rooms, events)
		}
		if s := f.Stats(); s.Keys != 0 {
			t.Errorf("%+v", s)
		}
		f.enter("ann").take()
		f.stop() // while ann is in the room, which therefore stays in the store
		f.wantHas("code='332'")
		kept := f.store.rooms

		f = newFixture(t)
		defer f.stop()
		f.store.rooms = kept
		f.in("<iq from='ann' to='lobby' type='get'><query xmlns='" + disco.NSInfo + "'/></iq>").wantHas("item-not-found")
		if len(kept) != 0 {
			t.Errorf("store %v", kept)
		}
	})
}

func TestCreation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		defer f.stop()
		f.in("<presence from='ann' to='lobby'><x xmlns='" + muc.NS + "'/></presence>").wantHas("jid-malformed")
		f.store.fail = errors.New("disk is full")
		f.enter("ann").wantHas("internal-server-error")
		f.store.fail = nil
		f.policy.create = func(who, at jid.JID) (room.Snapshot, error) {
			if who.Local() != "ann" {
				return room.Snapshot{}, stanza.NotAllowed("Only ann creates rooms.")
			}
			return room.Snapshot{
				Config: rules.Config{Persistent: true}, Subject: room.Subject{Text: "first"},
				Affiliations: map[jid.JID]affiliations.Entry{jid.MustParse("boss@example.org"): {Affiliation: rules.AffOwner}},
			}, nil
		}
		f.enter("eve").wantHas("not-allowed")
		if len(f.store.rooms) != 0 {
			t.Errorf("store %v", f.store.rooms)
		}
		f.enter("ann").wantHas("affiliation='none'", "<subject>first</subject>")
		f.enter("boss").wantHas("affiliation='owner'")
		f.in("<iq type='set' from='boss' to='lobby'><query xmlns='" + muc.NSOwner + "'><destroy/></query></iq>")
		f.leave("ann").take()
		f.enter("ann").wantHas("<subject>first</subject>") // made again
	})
}

// TestRoomNobodyEntersIsNotLeft: a room is created before its creator enters. If the creator is refused, the room is removed.
func TestRoomNobodyEntersIsNotLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *rooms.Options) { o.Limits.Nick = 5 })
		defer f.stop()
		f.in("<presence from='ann' to='lobby/ann with a long name'><x xmlns='" + muc.NS + "'/></presence>").wantHas("not-acceptable")
		if len(f.store.rooms) != 0 || f.Stats().Keys != 0 {
			t.Errorf("store %v, %+v", f.store.rooms, f.Stats())
		}
	})
}

func TestServiceAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *rooms.Options) {
			o.Info = disco.Info{Identities: []disco.Identity{{Category: "conference", Type: "text", Name: "Rooms"}}, Features: []string{"more"}}
		})
		defer f.stop()
		for i := range 5 {
			at := jid.MustParse(fmt.Sprintf("room%d@%s", i, domain))
			f.store.rooms[at] = room.Snapshot{Info: rules.Info{Name: at.Local()}, Config: rules.Config{Listed: i != 3, Persistent: true}}
		}
		f.in("<iq from='ann' to='' type='get'><query xmlns='"+disco.NSInfo+"'/></iq>").
			wantHas("name='Rooms'", "var='http://jabber.org/protocol/muc'", "var='more'", "var='http://jabber.org/protocol/rsm'")
		f.in("<iq from='ann' to='' type='get'><query xmlns='" + disco.NSInfo + "' node='x'/></iq>").wantHas("item-not-found")
		f.in("<iq from='ann' to='' type='get'><ping xmlns='" + muc.NSPing + "'/></iq>").wantHas("type='result'")
		f.in("<iq from='ann' to='' type='set'><ping xmlns='" + muc.NSPing + "'/></iq>").wantHas("service-unavailable")
		f.in("<iq from='ann' to='' type='get'/>").wantHas("bad-request")
		f.in("<message from='ann' to=''><body>hello</body></message>").wantHas("service-unavailable")
		items := f.in("<iq from='ann' to='' type='get'><query xmlns='" + disco.NSItems + "'/></iq>").take()
		if strings.Count(items, "<item ") != 4 || strings.Contains(items, "room3") || strings.Contains(items, paging.NS) {
			t.Error(items)
		}
		f.in("<iq from='ann' to='' type='get'><query xmlns='"+disco.NSItems+"'><set xmlns='"+paging.NS+"'><max>2</max><after>room1@rooms.example.org</after></set></query></iq>").
			wantHas("<last>room4@rooms.example.org</last><count>4</count>", "jid='room2@rooms.example.org'")
		for _, quiet := range []string{
			"<presence from='ann' to=''/>", "<message from='ann' to='' type='error'/>", "<iq from='ann' to='' type='result'/>",
		} {
			if got := f.in(quiet).take(); got != "" {
				t.Errorf("%s was answered: %s", quiet, got)
			}
		}
		if s := f.Stats(); s.Keys != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// TestFaultsAreAnswered: after an error or a panic the stanza is answered with an error, and the room still works.
func TestFaultsAreAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *rooms.Options) { o.Queue = 2 })
		f.enter("ann").take()
		hold := make(chan struct{})
		f.policy.message = func(r *room.Room, m room.Message) error {
			switch m.Stanza.Body() {
			case "panic":
				panic("a bug")
			case "wait":
				<-hold
			}
			return f.policy.native.Message(context.Background(), r, m)
		}
		say := func(text string) *fixture {
			return f.in("<message type='groupchat' from='ann' to='lobby'><body>" + text + "</body></message>")
		}
		say("panic").wantHas("internal-server-error")
		say("hello").wantHas("hello")
		if s := f.Stats(); s.Panics != 1 {
			t.Errorf("%+v", s)
		}
		say("wait")
		say("one")
		say("two")
		say("three").wantHas("resource-constraint")
		close(hold)
		synctest.Wait()
		f.wantHas("one", "two")
		if err := f.Call(context.Background(), lobby, func(context.Context, *room.Room) error { panic("a bug") }); err == nil {
			t.Error("a call that panicked")
		}
		if err := f.Call(context.Background(), jid.MustParse("nowhere@"+domain.String()), nil); !errors.Is(err, rooms.ErrNoRoom) {
			t.Errorf("a call of a room that does not exist: %v", err)
		}
		f.stop()
		f.take()
		say("late").wantHas("service-unavailable")
		if err := f.Call(context.Background(), lobby, nil); err != mailbox.ErrStopped {
			t.Errorf("call after Stop: %v", err)
		}
	})
}

// TestRoomMovesToAnotherNode: occupants get no stanza when their room moves.
func TestRoomMovesToAnotherNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		a := newFixture(t)
		defer a.stop()
		a.policy.open = func(jid.JID, *room.Snapshot) (rooms.Opened, error) {
			return rooms.Opened{Owner: a.policy, Puppets: []occupants.Puppet{{ID: "net", Nick: "Net"}}}, nil
		}
		a.enter("ann").enter("bob").take()
		state, err := a.Release(ctx, lobby)
		if err != nil || state == nil || len(state.Sessions) != 2 {
			t.Fatal(state, err)
		}
		if a.enter("cid"); !strings.Contains(a.take(), "service-unavailable") {
			t.Error("a released room was entered")
		}
		b := newFixture(t)
		defer b.stop()
		b.policy.open = a.policy.open
		b.store.rooms = a.store.rooms
		if err := b.Adopt(ctx, lobby, state); err != nil {
			t.Fatal(err)
		}
		if got := a.take() + b.take(); got != "" {
			t.Errorf("occupants got stanzas because of the move: %s", got)
		}
		b.in("<message type='groupchat' from='bob' to='lobby'><body>still here</body></message>")
		if got := b.take(); strings.Count(got, "still here") != 2 {
			t.Error(got)
		}
		if err := b.Adopt(ctx, lobby, state); err == nil {
			t.Error("a room was adopted twice")
		}
		b.leave("bob").leave("ann")
		if len(b.store.rooms) != 0 {
			t.Errorf("store %v", b.store.rooms)
		}
		if state, err := a.Release(ctx, jid.MustParse("idle@"+domain.String())); state != nil || err != nil {
			t.Error(state, err)
		}
		if err := a.Adopt(ctx, lobby, nil); err != nil {
			t.Error(err)
		}
		a.enter("ann").wantHas("code='201'") // it may be created here again
	})
}

// conversations are the mailboxes of a gateway: the state of each contains an Entry.
type conversations struct {
	group *mailbox.Group[jid.JID, *conversation]
}

type conversation struct {
	room *rooms.Entry
	jobs int
}

func (c *conversations) Enqueue(at jid.JID, job mailbox.Job[*rooms.Entry]) error {
	return c.group.Enqueue(at, func(ctx context.Context, s *conversation) {
		s.jobs++
		job(ctx, s.room)
	})
}

// TestGatewayRunsItsOwnMailboxes: a room without a store, whose state and puppets come from Policy.Open.
func TestGatewayRunsItsOwnMailboxes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		c := &conversations{}
		f := newFixture(t, func(o *rooms.Options) { o.Store, o.Mailboxes = nil, c })
		f.policy.open = func(at jid.JID, kept *room.Snapshot) (rooms.Opened, error) {
			if at != lobby || kept != nil {
				return rooms.Opened{}, rooms.ErrNoRoom
			}
			return rooms.Opened{
				Owner: f.policy, Snapshot: &room.Snapshot{Config: rules.Config{Persistent: true}, Subject: room.Subject{Text: "topic"}},
				Puppets: []occupants.Puppet{{ID: "net", Nick: "Net"}, {ID: ""}},
			}, nil
		}
		f.policy.create = func(jid.JID, jid.JID) (room.Snapshot, error) { return room.Snapshot{}, stanza.ItemNotFound("") }
		c.group = mailbox.New(ctx, mailbox.Options[jid.JID, *conversation]{
			New:        func(at jid.JID) *conversation { return &conversation{room: f.NewEntry(at)} },
			Load:       func(context.Context, jid.JID, *conversation) error { return nil },
			Work:       func(_ context.Context, s *conversation, _ mailbox.Marks) { s.room.Flush() },
			Disposable: func(s *conversation) bool { return s.room.Disposable() },
			Unload:     func(s *conversation) { s.room.Close() },
		})
		f.enter("ann").wantHas("lobby@rooms.example.org/Net", "<subject>topic</subject>")
		if err := c.group.Enqueue(lobby, func(_ context.Context, s *conversation) {
			if r := s.room.Loaded(); r == nil || s.jobs != 1 {
				t.Errorf("room %v, %d jobs", r, s.jobs)
			}
		}); err != nil {
			t.Fatal(err)
		}
		f.in("<presence from='ann' to='nowhere/ann'><x xmlns='" + muc.NS + "'/></presence>").wantHas("item-not-found")
		f.in("<iq from='ann' to='' type='get'><ping xmlns='" + muc.NSPing + "'/></iq>").wantHas("type='result'")
		f.leave("ann")
		if s := c.group.Stats(); s.Keys != 0 {
			t.Errorf("%+v", s)
		}
		c.group.Stop(ctx)
		f.stop()
	})
}

// TestManySendersAtOnce counts deliveries of concurrent senders, and is meant for the race detector.
func TestManySendersAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *rooms.Options) { o.Queue = 100_000 })
		defer f.stop()
		const people, messages = 8, 50
		for i := range people {
			f.enter(fmt.Sprintf("p%d", i))
		}
		f.take()
		var all sync.WaitGroup
		for i := range people {
			from, _ := jid.New(fmt.Sprintf("p%d", i), "example.org", "phone")
			all.Go(func() {
				for range messages {
					f.Handle(stanza.NewMessage(lobby, from, stanza.TypeGroupchat, stanza.TextElement("", "body", "hi")))
					f.Handle(stanza.NewIQ(lobby, from, stanza.TypeGet, stanza.NewElement(disco.NSInfo, "query")))
				}
			})
		}
		all.Wait()
		synctest.Wait()
		if got := strings.Count(f.take(), "<body>hi</body>"); got != people*people*messages {
			t.Errorf("%d deliveries", got)
		}
	})
}
