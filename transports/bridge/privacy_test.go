package bridge_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/faultnet"
)

// parted is a network of two workspaces: the people and rooms of one are not seen from the other.
type parted struct {
	transports.Network
	other []string // who and what is in the second one
}

func (n parted) apart(a, b string) bool {
	return slices.Contains(n.other, a) != slices.Contains(n.other, b)
}

func (n parted) Open(ctx context.Context, a transports.Login, sink transports.Sink) (transports.Client, error) {
	s, err := n.Network.Open(ctx, a, sink)
	if err != nil {
		return nil, err
	}
	return &partedSession{s.(full), n, string(a.User)}, nil
}

func (n parted) ClientType() transports.Client { return &partedSession{} }

type partedSession struct {
	full
	net  parted
	user string
}

var errApart = transports.Refuse("item-not-found", "There is no such thing.", nil)

func (s *partedSession) Profile(ctx context.Context, id transports.UserID) (transports.UserInfo, error) {
	if s.net.apart(s.user, string(id)) {
		return transports.UserInfo{}, errApart
	}
	return s.full.Profile(ctx, id)
}

func (s *partedSession) Room(ctx context.Context, id transports.RoomID) (transports.RoomInfo, error) {
	if s.net.apart(s.user, string(id)) {
		return transports.RoomInfo{}, errApart
	}
	return s.full.Room(ctx, id)
}

func (s *partedSession) Rooms(ctx context.Context, page func([]transports.RoomInfo) error) error {
	return s.full.Rooms(ctx, func(list []transports.RoomInfo) error {
		return page(slices.DeleteFunc(list, func(r transports.RoomInfo) bool { return s.net.apart(s.user, string(r.ID)) }))
	})
}

func (s *partedSession) Contacts(ctx context.Context, page func([]transports.UserInfo) error) error {
	return s.full.Contacts(ctx, func(list []transports.UserInfo) error {
		return page(slices.DeleteFunc(list, func(u transports.UserInfo) bool { return s.net.apart(s.user, string(u.ID)) }))
	})
}

func (s *partedSession) Direct(ctx context.Context, id transports.UserID) (transports.RoomID, error) {
	if s.net.apart(s.user, string(id)) {
		return "", errApart
	}
	return s.full.Direct(ctx, id)
}

var infoQuery = stanza.NewElement("http://jabber.org/protocol/disco#info", "query")

// What one user's account sees on the network is not for another user.
func TestPeopleOfAnotherWorkspace(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.net = parted{h.net, []string{"ben"}}
		h.start()
		h.link(phone, "ann")
		h.link(desk, "ben")
		vcard := stanza.NewElement("vcard-temp", "vCard")
		if a := h.ask(phone, contact("cleo"), stanza.TypeGet, vcard); !strings.Contains(a.String(), "cleo@example.net") {
			t.Fatalf("who sees her does not: %s", a)
		}
		h.discard()
		h.sendTo(desk, "cleo", "who are you?") // a try to write to somebody makes no acquaintance
		h.discard()
		if a := h.ask(desk, contact("cleo"), stanza.TypeGet, vcard); a.Type != stanza.TypeError || strings.Contains(a.String(), "Cleo") {
			t.Errorf("a vCard of another workspace: %s", a)
		}
		if a := h.ask(desk, contact("cleo"), stanza.TypeGet, infoQuery); strings.Contains(a.String(), "Cleo") {
			t.Errorf("a name of another workspace: %s", a)
		}
		h.discard()
		for _, typ := range []string{stanza.TypeProbe, stanza.TypeSubscribe} {
			h.send(stanza.NewPresence(contact("cleo"), desk, typ))
			for _, st := range append(h.received(desk), h.received(desk.Bare())...) {
				if st.Type != stanza.TypeUnsubscribed {
					t.Errorf("presence of another workspace: %s", st)
				}
			}
		}
		// Whom one does not know by name yet, but can see, is shown.
		h.world.AddUser(transports.UserInfo{ID: "dora", Name: "Dora"})
		h.send(stanza.NewPresence(contact("dora"), phone.Bare(), stanza.TypeSubscribe))
		got := h.received(phone.Bare())
		if len(got) != 2 || got[0].Type != stanza.TypeSubscribed || got[1].Type != "" {
			t.Errorf("somebody new: %v", got)
		}
	})
}

// Nor can one user's questions keep another's from being answered.
func TestLookupsOfOthersAreNoObstacle(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.net = parted{h.net, []string{"ben"}}
		h.start()
		h.link(phone, "ann")
		h.link(desk, "ben")
		h.world.AddUser(transports.UserInfo{ID: "dora", Name: "Dora"})
		for range 10 {
			h.ask(desk, contact("dora"), stanza.TypeGet, infoQuery)
		}
		if a := h.ask(phone, contact("dora"), stanza.TypeGet, infoQuery); !strings.Contains(a.String(), "Dora") {
			t.Errorf("ann is not told: %s", a)
		}
	})
}

// A room answers those who see it, and nobody else.
func TestRoomsOfAnotherWorkspace(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.net = parted{h.net, []string{"ben"}}
		h.start()
		h.link(phone, "ann")
		h.link(desk, "ben")
		if a := h.ask(phone, room("plaza"), stanza.TypeGet, infoQuery); !strings.Contains(a.String(), "Everything") {
			t.Errorf("who sees it is not told: %s", a)
		}
		h.join(phone, "plaza")
		if a := h.ask(phone, room("plaza"), stanza.TypeGet, infoQuery); !strings.Contains(a.String(), "Everything") {
			t.Errorf("who is in it is not told: %s", a)
		}
		for _, x := range []*stanza.Element{infoQuery, stanza.NewElement("vcard-temp", "vCard"), mamQuery} {
			typ := stanza.TypeGet
			if x == mamQuery {
				typ = stanza.TypeSet
			}
			if a := h.ask(desk, room("plaza"), typ, x); a.Type != stanza.TypeError || a.Err().Condition != "item-not-found" {
				t.Errorf("of another workspace: %s", a)
			}
		}
	})
}

var mamQuery = stanza.NewElement("urn:xmpp:mam:2", "query")

// Whoever has left a private room, or was sent out of it, does not come in again by this
// way, and reads no archive of it. One reads that of a public room once one is in it.
func TestArchivesAreForThoseInTheRoom(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.world.AddRoom(transports.RoomInfo{ID: "hall", Kind: transports.Public, Name: "Hall"}, "cleo")
		h.start()
		h.link(phone, "ann")
		h.join(phone, "den")
		h.world.Say("den", "cleo", "secret")
		h.discard()
		if a := h.ask(phone, room("den"), stanza.TypeSet, mamQuery); a.Type != stanza.TypeResult {
			t.Errorf("who is in it: %s", a)
		}
		h.check(h.world.Do(func(as faultnet.As) error {
			if err := as.Enter("den", "ann", false); err != nil {
				return err
			}
			return as.SendTo("ann", transports.Event{Key: "gone", Room: "den", Kind: transports.Private, Body: transports.RoomGone{}})
		}))
		time.Sleep(time.Second)
		h.discard()
		if a := h.ask(phone, room("den"), stanza.TypeSet, mamQuery); a.Type != stanza.TypeError {
			t.Errorf("who has left it: %s", a)
		}
		if a := h.ask(phone, room("den"), stanza.TypeGet, infoQuery); a.Type != stanza.TypeError {
			t.Errorf("who has left it: %s", a)
		}
		to, _ := room("den").WithResource("me")
		h.send(stanza.NewPresence(to, phone, "", stanza.NewElement("http://jabber.org/protocol/muc", "x")))
		if got := h.received(phone); len(got) != 1 || got[0].Type != stanza.TypeError {
			t.Errorf("who has left comes in again: %v", got)
		}
		// A public room.
		if a := h.ask(phone, room("hall"), stanza.TypeSet, mamQuery); a.Type != stanza.TypeError {
			t.Errorf("who is not in it: %s", a)
		}
		h.join(phone, "hall")
		if a := h.ask(phone, room("hall"), stanza.TypeSet, mamQuery); a.Type != stanza.TypeResult {
			t.Errorf("who is in it: %s", a)
		}
	})
}

// Ids are chosen by clients: one that somebody else uses too names one's own message.
func TestTheSameIDOfTwoPeople(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.link(desk, "ben")
		h.join(phone, "plaza")
		h.join(desk, "plaza")
		write := func(who jid.JID, id, text string, more ...*stanza.Element) {
			st := stanza.NewMessage(room("plaza"), who, stanza.TypeGroupchat, append(more, stanza.TextElement("", "body", text))...)
			st.ID = id
			h.send(st)
			time.Sleep(time.Second)
		}
		write(phone, "the-same-id-of-both", "Good moning")
		write(desk, "the-same-id-of-both", "Mine")
		write(phone, "another-id-of-ann", "Good morning", replace("the-same-id-of-both"))
		write(desk, "another-id-of-ben", "Ours", replace("the-same-id-of-both"))
		h.expectNetwork("plaza", "ann: Good morning", "ben: Ours")
		// Also while they wait.
		h.world.Outage(true)
		write(phone, "a-waiting-id-of-both", "Waitin")
		write(desk, "a-waiting-id-of-both", "Waiting too")
		write(phone, "a-third-id-of-ann", "ann waits", replace("a-waiting-id-of-both"))
		write(desk, "a-third-id-of-ben", "ben waits", replace("a-waiting-id-of-both"))
		h.world.Outage(false)
		time.Sleep(time.Hour)
		h.expectNetwork("plaza", "ann: Good morning", "ben: Ours", "ann: ann waits", "ben: ben waits")
	})
}
