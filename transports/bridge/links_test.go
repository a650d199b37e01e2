package bridge_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/paging"
	coreroom "github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/room/affiliations"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/rooms"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports/bridge"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
	"github.com/dragoman-im/dragoman/transports/faultnet"
)

var (
	garden = jid.MustParse("garden@rooms.example.org")
	eve    = jid.MustParse("eve@example.org/web")
	fay    = jid.MustParse("fay@example.org/web")
)

// roomService is another service with rooms, in which every account may make some. It implements rooms.Policy, rooms.Store
// and room.Owner.
type roomService struct {
	h       *harness
	kept    map[jid.JID]coreroom.Snapshot
	config  rules.Config // of new rooms
	service *rooms.Service
	message func(coreroom.Message) (shown bool, err error) // what becomes of a message; nil: it is shown
	refused func()                                         // is called with each presence error to the gateway; nil: nothing

	forgeable bool                     // it passes what is in forged elements, which a service removes that knows it
	hidden    atomic.Pointer[[]string] // as hide says
}

// forged has a room of a service that is forgeable pass elements that a service removes that knows them.
func forged(list ...*stanza.Element) *stanza.Element {
	return stanza.NewElement("forged", "forged").Add(list...)
}

// hide has the service neither announce nor add what is of these namespaces.
func (s *roomService) hide(namespaces ...string) { s.hidden.Store(&namespaces) }

// asOf is a stanza to the gateway as an older or careless service sends it.
func (s *roomService) asOf(st *stanza.Stanza) *stanza.Stanza {
	if !s.forgeable {
		return st
	}
	var content []*stanza.Element
	var hides []string
	if list := s.hidden.Load(); list != nil {
		hides = *list
	}
	for e := range st.Tree().Elements() {
		switch {
		case e.Space == "forged":
			for x := range e.Elements() {
				content = append(content, x.Clone())
			}
		case slices.Contains(hides, e.Space):
		case e.Is("http://jabber.org/protocol/disco#info", "query"):
			info := stanza.NewElement(e.Space, e.Local)
			for f := range e.Elements() {
				if !slices.Contains(hides, f.Attr("var")) {
					info.Add(f.Clone())
				}
			}
			content = append(content, info)
		default:
			content = append(content, e.Clone())
		}
	}
	st = st.Copy()
	st.Payload = stanza.Encode(content...)
	return st
}

// roomInfo is what the rooms can do.
var roomInfo = rules.Info{Features: []string{coreroom.FeatureModerate}}

func (s *roomService) Open(context.Context, jid.JID, *coreroom.Snapshot) (rooms.Opened, error) {
	return rooms.Opened{Owner: s}, nil
}

func (s *roomService) Create(context.Context, jid.JID, jid.JID) (coreroom.Snapshot, error) {
	return coreroom.Snapshot{Config: s.config, Info: roomInfo}, nil
}
func (s *roomService) Sees(context.Context, jid.JID, *coreroom.Room) (bool, error) { return true, nil }
func (s *roomService) List(context.Context, jid.JID, paging.Request) ([]disco.Item, paging.Answer, error) {
	return nil, paging.Answer{}, nil
}
func (s *roomService) LoadRoom(_ context.Context, at jid.JID) (coreroom.Snapshot, bool, error) {
	kept, ok := s.kept[at]
	kept.Affiliations = maps.Clone(kept.Affiliations)
	return kept, ok, nil
}
func (s *roomService) SaveRoom(_ context.Context, at jid.JID, c coreroom.Change) error {
	kept := s.kept[at]
	if c.Created {
		kept = coreroom.Snapshot{Config: s.config, Info: roomInfo, Affiliations: map[jid.JID]affiliations.Entry{}}
	}
	for _, l := range c.Lists {
		kept.Affiliations[l.JID] = l.Entry
	}
	s.kept[at] = kept
	return nil
}
func (s *roomService) Enter(context.Context, *coreroom.Room, coreroom.EnterRequest) (coreroom.Grant, error) {
	return coreroom.Grant{}, nil
}
func (s *roomService) Message(ctx context.Context, r *coreroom.Room, m coreroom.Message) error {
	if s.message != nil {
		if shown, err := s.message(m); !shown || err != nil {
			return err
		}
	}
	if m.Subject != nil {
		return r.SetSubject(ctx, coreroom.Subject{Text: *m.Subject, OccupantID: m.From.ID, Nick: m.From.Nick}, m.Stanza.ID, "")
	}
	r.Broadcast(m.Post(""))
	return nil
}
func (s *roomService) Allow(context.Context, *coreroom.Room, coreroom.Action) error { return nil }
func (s *roomService) Query(context.Context, *coreroom.Room, coreroom.Query) (*stanza.Element, error) {
	return nil, stanza.ServiceUnavailable("")
}
func (s *roomService) Notify(context.Context, *coreroom.Room, coreroom.Event) {}

// Send implements rooms.Endpoint.
func (s *roomService) Send(st *stanza.Stanza) {
	if st.To.Domain() == domain.Domain() {
		if s.refused != nil && st.Kind == stanza.Presence && st.Type == stanza.TypeError {
			s.refused()
		}
		s.h.endpoint.deliver(s.asOf(st))
		return
	}
	s.h.endpoint.mu.Lock()
	defer s.h.endpoint.mu.Unlock()
	s.h.endpoint.sent = append(s.h.endpoint.sent, st)
}

func (s *roomService) Collect() (func(*stanza.Stanza), func()) { return s.Send, func() {} }

// withRooms runs a test with a gateway, to which ann is linked, and a room that ann owns and eve and fay are in.
func withRooms(t *testing.T, f func(h *harness, s *roomService)) {
	t.Helper()
	withGateway(t, func(h *harness) {
		s := &roomService{h: h, kept: map[jid.JID]coreroom.Snapshot{}, config: rules.Config{Persistent: true, WhoIs: rules.WhoIsAnyone}}
		s.service = rooms.New(h.Context(), rooms.Options{
			Domain: jid.MustParse(garden.Domain()), Policy: s, Endpoint: s, Store: s, Secret: []byte("a secret"), Log: slog.New(slog.DiscardHandler),
		})
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		defer s.service.Stop(ctx)
		h.others = func(st *stanza.Stanza) bool {
			if st.To.Domain() != garden.Domain() {
				return false
			}
			s.service.Handle(st)
			return true
		}
		h.start()
		h.link(phone, "ann")
		s.enter(garden, phone, "Ann of the garden")
		s.enter(garden, eve, "Eve")
		s.enter(garden, fay, "Fay")
		f(h, s)
	})
}

// enter has somebody enter a room.
func (s *roomService) enter(at, who jid.JID, nick string) {
	to, _ := at.WithResource(nick)
	s.give(stanza.NewPresence(to, who, "", stanza.NewElement("http://jabber.org/protocol/muc", "x").Add(
		stanza.NewElement("http://jabber.org/protocol/muc", "history").With("maxstanzas", "0"))))
}

func (s *roomService) give(st *stanza.Stanza) {
	s.service.Handle(st)
	synctest.Wait()
}

// say has somebody say something in a room, and returns the id that the room gives it.
func (s *roomService) say(at, who jid.JID, content ...*stanza.Element) string {
	s.h.Helper()
	st := stanza.NewMessage(at, who, stanza.TypeGroupchat, content...)
	st.ID = stanza.NewID()
	s.give(st)
	var id string
	s.h.endpoint.mu.Lock()
	defer s.h.endpoint.mu.Unlock()
	for _, got := range s.h.endpoint.sent {
		if got.ID == st.ID && got.Kind == stanza.Message && got.Type == stanza.TypeGroupchat {
			id = stanzaID(got)
		}
	}
	return id
}

func text(s string) *stanza.Element { return stanza.TextElement("", "body", s) }

// command runs an ad-hoc command of the gateway's with one form, and returns the notes and the form of its last step.
func (h *harness) runForm(who jid.JID, node string, answers map[string]string) string {
	h.Helper()
	const ns = "http://jabber.org/protocol/commands"
	first := h.ask(who, domain, stanza.TypeSet, stanza.NewElement(ns, "command").With("node", node).With("action", "execute"))
	x := first.Child(ns, "command")
	if answers == nil || x == nil {
		return first.String()
	}
	form := stanza.NewElement("jabber:x:data", "x").With("type", "submit")
	for name, value := range answers {
		form.Add(stanza.NewElement("jabber:x:data", "field").With("var", name).Add(stanza.TextElement("jabber:x:data", "value", value)))
	}
	iq := stanza.NewIQ(domain, who, stanza.TypeSet, stanza.NewElement(ns, "command").With("node", node).With("sessionid", x.Attr("sessionid")).Add(form))
	h.send(iq)
	time.Sleep(30 * time.Second)
	a := h.answer(who, iq.ID)
	if a == nil {
		h.Fatalf("no answer to %s", node)
	}
	return a.String()
}

// linkRoom links a room to a channel.
func (h *harness) linkRoom(channel string, at jid.JID) {
	h.Helper()
	if a := h.runForm(phone, "link-room", map[string]string{"channel": room(channel).String(), "room": at.String(), "people": "10"}); !strings.Contains(a, "is linked to") {
		h.Fatal(a)
	}
	h.discard()
}

func (h *harness) expectInRoom(who jid.JID, want ...string) {
	h.Helper()
	time.Sleep(time.Second)
	if got := h.messages(who); fmt.Sprint(got) != fmt.Sprint(want) {
		h.Errorf("%s got\n  %s\nwant\n  %s", who, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func TestLinkedRoomBothWays(t *testing.T) {
	withRooms(t, func(h *harness, s *roomService) {
		h.linkRoom("plaza", garden)
		h.world.Say("plaza", "cleo", "hello *all*")
		h.expectInRoom(eve, "garden/Cleo: hello *all*")
		s.say(garden, eve, text("hello Cleo"))
		h.expectInRoom(eve, "garden/Eve: hello Cleo")
		h.expectNetwork("plaza", "cleo: hello all", "ann: Eve: hello Cleo")
	})
}

// People of the channel's room and of another linked room take part too, each message once.
func TestLinkedToSeveral(t *testing.T) {
	withRooms(t, func(h *harness, s *roomService) {
		lawn := jid.MustParse("lawn@rooms.example.org")
		s.enter(lawn, phone, "Ann of the lawn")
		s.enter(lawn, fay, "Fay")
		h.linkRoom("plaza", garden)
		h.linkRoom("plaza", lawn)
		h.linkRoom("den", garden)
		h.linkRoom("den", lawn) // garden, plaza, lawn and den are a circle
		h.join(phone, "plaza")
		h.discard()
		s.say(garden, eve, text("to all"))
		h.expectInRoom(fay, "garden/Eve: to all", "lawn/Eve: to all") // by way of two channels
		time.Sleep(time.Second)
		got := h.messages(phone) // from three rooms, in any order
		slices.Sort(got)
		if fmt.Sprint(got) != "[garden/Eve: to all lawn/Eve: to all plaza/Eve: to all]" {
			t.Errorf("%q", got)
		}
		h.expectNetwork("plaza", "ann: Eve: to all")
		h.expectNetwork("den", "ann: Eve: to all")
	})
}

func TestLinkedReactions(t *testing.T) {
	withRooms(t, func(h *harness, s *roomService) {
		h.linkRoom("plaza", garden)
		net := h.world.Say("plaza", "cleo", "who comes?")
		time.Sleep(time.Second)
		var id string
		for _, st := range h.received(eve) {
			if st.Body() != "" {
				id = stanzaID(st)
			}
		}
		react := func(who jid.JID, emoji ...string) {
			x := stanza.NewElement("urn:xmpp:reactions:0", "reactions").With("id", id)
			for _, e := range emoji {
				x.Add(stanza.TextElement("urn:xmpp:reactions:0", "reaction", e))
			}
			s.say(garden, who, x)
			time.Sleep(time.Second)
		}
		has := func(want string) {
			t.Helper()
			if got := fmt.Sprint(h.world.Reactions("plaza", net, "ann")); got != want {
				t.Errorf("the network has %s, want %s", got, want)
			}
		}
		react(eve, "👍")
		react(fay, "👍", "🎉")
		has("[👍 🎉]")
		react(eve)
		has("[👍 🎉]")
		react(fay, "🎉")
		has("[🎉]")
		h.discard()
		h.check(h.world.Do(func(as faultnet.As) error { return as.React("plaza", "cleo", net, []string{"🍰"}, nil) }))
		h.expectInRoom(eve, "garden/Cleo reacted 🍰")
	})
}

// Corrections, answers and retractions name the message that they are about on both sides; a moderator's retraction acts in the room.
func TestLinkedChanges(t *testing.T) {
	withRooms(t, func(h *harness, s *roomService) {
		h.linkRoom("plaza", garden)
		first := s.say(garden, eve, text("one"))
		h.expectInRoom(eve, "garden/Eve: one")
		id := h.world.Last("plaza").ID
		s.say(garden, fay, text("> one\ntwo"), stanza.NewElement("urn:xmpp:reply:0", "reply").With("id", first),
			stanza.NewElement("urn:xmpp:fallback:0", "fallback").With("for", "urn:xmpp:reply:0").Add(
				stanza.NewElement("urn:xmpp:fallback:0", "body").With("start", "0").With("end", "6")))
		time.Sleep(time.Second)
		if answer := h.world.Last("plaza"); answer.ReplyTo != id || id == "" {
			t.Errorf("the network has an answer to %q, want %q: %+v", answer.ReplyTo, id, answer)
		}
		h.discard()
		net := h.world.Say("plaza", "cleo", "three")
		h.expectInRoom(eve, "garden/Cleo: three")
		h.check(h.world.Do(func(as faultnet.As) error {
			return as.Edit("plaza", "cleo", net, "four")
		}))
		h.expectInRoom(eve, "garden/Cleo corrected: four")
		h.check(h.world.Do(func(as faultnet.As) error { return as.Delete("plaza", "cleo", net) }))
		h.expectInRoom(eve, "garden/Cleo retracted")
	})
}

// A room that hides addresses does not tell the gateway that it is its owner who links it: the answer says what to do, and that works.
func TestLinkOfRoomThatHidesAddresses(t *testing.T) {
	withRooms(t, func(h *harness, s *roomService) {
		s.config.WhoIs = rules.WhoIsModerators
		veiled := jid.MustParse("veiled@rooms.example.org")
		s.enter(veiled, phone, "Ann")
		h.discard()
		request := map[string]string{"channel": room("plaza").String(), "room": veiled.String(), "people": "10"}
		if a := h.runForm(phone, "link-room", request); !strings.Contains(a, "make "+domain.String()+" a member of the room") || !strings.Contains(a, "show addresses to everybody") {
			t.Error(a)
		}
		s.service.Handle(stanza.NewIQ(veiled, phone, stanza.TypeSet, stanza.NewElement("http://jabber.org/protocol/muc#admin", "query").
			Add(stanza.NewElement("http://jabber.org/protocol/muc#admin", "item").With("jid", domain.String()).With("affiliation", "member"))))
		h.discard()
		if a := h.runForm(phone, "link-room", request); !strings.Contains(a, "is linked") {
			t.Error(a)
		}
	})
}

// Those who must agree to a link are asked; a room is not made by linking it.
func TestLinkNeedsConsent(t *testing.T) {
	withRooms(t, func(h *harness, s *roomService) {
		foreign := jid.MustParse("foreign@rooms.example.org")
		s.enter(foreign, eve, "Eve")
		s.enter(foreign, phone, "Ann")
		h.discard()
		link := func(channel string, at jid.JID) string {
			return h.runForm(phone, "link-room", map[string]string{"channel": room(channel).String(), "room": at.String(), "people": "10"})
		}
		for _, c := range []struct{ answer, want string }{
			{link("plaza", foreign), "has to agree"},
			{link("plaza", jid.MustParse("nowhere@rooms.example.org")), "There is no room"},
			{link("nowhere", garden), "is no room that you may write to"},
			{link("plaza", room("den")), "no room of another service"},
		} {
			if !strings.Contains(c.answer, c.want) {
				t.Errorf("%s, want %q", c.answer, c.want)
			}
		}
		if list := h.runForm(phone, "linked-rooms", nil); !strings.Contains(list, "You have linked no room") {
			t.Error(list)
		}
		h.linkRoom("plaza", garden)
		if again := link("plaza", garden); !strings.Contains(again, "linked already") {
			t.Error(again)
		}
		h.world.Say("plaza", "cleo", "here I am")
		h.expectInRoom(fay, "garden/Cleo: here I am")
		if _, known := s.kept[jid.MustParse("nowhere@rooms.example.org")]; known {
			t.Error("a room was made")
		}
	})
}

// A link to which nobody has agreed does not begin after a crash.
func TestLinkWithoutConsentAfterACrash(t *testing.T) {
	withRooms(t, func(h *harness, s *roomService) {
		foreign := jid.MustParse("foreign@rooms.example.org")
		s.enter(foreign, eve, "Eve")
		s.enter(foreign, phone, "Ann")
		full := &atomic.Bool{}
		h.engine = func(e tables.Engine) tables.Engine { return failingStore{e, full} }
		h.restart()
		time.Sleep(5 * time.Second)
		deliver := h.others
		h.others = func(st *stanza.Stanza) bool {
			if st.To.Bare() == foreign && st.Kind == stanza.Presence {
				full.Store(true) // the link cannot be removed any more
			}
			return deliver(st)
		}
		if a := h.runForm(phone, "link-room", map[string]string{"channel": room("plaza").String(), "room": foreign.String(), "people": "10"}); !strings.Contains(a, "has to agree") {
			t.Error(a)
		}
		h.others = deliver
		h.stop()
		full.Store(false)
		h.discard()
		h.start()
		time.Sleep(5 * time.Second)
		h.world.Say("plaza", "cleo", "not for them")
		h.expectInRoom(eve)
	})
}

// Only those who wrote last are in the room. Where a nickname is taken, another one is used.
func TestPeopleOfALinkedRoom(t *testing.T) {
	withRooms(t, func(h *harness, s *roomService) {
		s.enter(garden, jid.MustParse("other@example.org/web"), "Ben")
		if a := h.runForm(phone, "link-room", map[string]string{"channel": room("plaza").String(), "room": garden.String(), "people": "1"}); !strings.Contains(a, "is linked to") {
			t.Fatal(a)
		}
		h.discard()
		h.world.Say("plaza", "cleo", "one")
		time.Sleep(time.Second)
		h.world.Say("plaza", "ben", "two")
		time.Sleep(time.Second)
		in := map[string]bool{}
		var shown []string
		for _, st := range h.received(eve) {
			if st.Kind == stanza.Presence {
				in[st.From.Resource()] = st.Type == ""
			} else if s := show(st); s != "" {
				shown = append(shown, s)
			}
		}
		if fmt.Sprint(shown) != "[garden/Cleo: one garden/Ben (Echo): two]" {
			t.Errorf("%q", shown)
		}
		if in["Cleo"] || !in["Ben (Echo)"] {
			t.Errorf("in the room: %v", in)
		}
	})
}

// A gateway that is removed from the room tells the owner of the link, and stays away until that one links the room again.
func TestLinkThatIsEnded(t *testing.T) {
	withRooms(t, func(h *harness, s *roomService) {
		h.linkRoom("plaza", garden)
		item := stanza.NewElement("http://jabber.org/protocol/muc#admin", "item").With("nick", "Echo").With("role", "none")
		s.give(stanza.NewIQ(garden, phone, stanza.TypeSet, stanza.NewElement("http://jabber.org/protocol/muc#admin", "query").Add(item)))
		h.expectInRoom(phone, "gateway: The room garden@rooms.example.org is not linked to Plaza at the moment: The gateway was removed from the room. Link it again once that has changed.")
		h.discard()
		h.world.Say("plaza", "cleo", "missed")
		h.restart()
		h.expectInRoom(eve)
		if list := h.runForm(phone, "linked-rooms", nil); !strings.Contains(list, "stopped: The gateway was removed") {
			t.Error(list)
		}
		h.linkRoom("plaza", garden)
		h.world.Say("plaza", "cleo", "back")
		h.expectInRoom(eve, "garden/Cleo: back")
		h.restart()
		time.Sleep(5 * time.Second)
		h.discard()
		h.world.Say("plaza", "cleo", "after another restart")
		h.expectInRoom(eve, "garden/Cleo: after another restart")
	})
}

// The archive is the queue: what is shown while the gateway does not run, or before the room has reflected it, comes once.
func TestLinkedRoomAfterRestart(t *testing.T) {
	withRooms(t, func(h *harness, s *roomService) {
		h.linkRoom("plaza", garden)
		for i := range 5 {
			h.world.Say("plaza", "cleo", fmt.Sprint("before ", i))
			s.say(garden, eve, text(fmt.Sprint("from eve ", i)))
		}
		h.stop()
		h.discard()
		s.say(garden, eve, text("while away"))
		h.expectInRoom(fay, "garden/Eve: while away")
		h.world.Say("plaza", "cleo", "away too")
		h.start()
		time.Sleep(5 * time.Second)
		h.world.Say("plaza", "cleo", "after")
		h.expectInRoom(fay, "garden/Cleo: away too", "garden/Cleo: after")
		n := 0
		for _, line := range h.world.Texts("plaza") {
			if strings.HasSuffix(line, "Eve: while away") {
				n++
			}
		}
		if n != 1 || len(h.world.Texts("plaza")) != 13 {
			t.Errorf("the network has %q", h.world.Texts("plaza"))
		}
	})
}

// A room of the configuration is linked when the login comes online, and stays so.
func TestLinkOfTheConfiguration(t *testing.T) {
	withRooms(t, func(h *harness, s *roomService) {
		h.set.LinkedRooms = []bridge.LinkedRoom{
			{Channel: room("plaza"), Room: garden, Account: ann}, {Channel: room("den"), Room: garden, Account: boss}, {Channel: room("nowhere"), Room: garden, Account: ann},
		}
		for range 2 {
			h.restart()
			time.Sleep(time.Minute)
			h.discard()
			h.world.Say("plaza", "cleo", "by configuration")
			h.world.Say("den", "cleo", "of another account")
			h.expectInRoom(eve, "garden/Cleo: by configuration")
		}
	})
}

// Stanzas from elsewhere to the occupants of a link do nothing.
func TestForgedStanzasToALink(t *testing.T) {
	withRooms(t, func(h *harness, s *roomService) {
		h.linkRoom("plaza", garden)
		to, _ := domain.WithResource("link-1")
		for _, from := range []string{"garden@evil.example.org/Eve", "eve@example.org/web", "lawn@rooms.example.org/Eve"} {
			h.send(stanza.NewMessage(to, jid.MustParse(from), stanza.TypeGroupchat, text("forged")))
			h.send(stanza.NewPresence(to, jid.MustParse(from), stanza.TypeUnavailable, stanza.NewElement("http://jabber.org/protocol/muc#user", "x").Add(
				stanza.NewElement("http://jabber.org/protocol/muc#user", "status").With("code", "110"))))
		}
		h.world.Say("plaza", "cleo", "still here")
		h.expectInRoom(eve, "garden/Cleo: still here")
		h.expectNetwork("plaza", "cleo: still here")
	})
}
