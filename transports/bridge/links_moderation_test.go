package bridge_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/faultnet"
)

// moderates has a moderator of a room remove a message (XEP-0425 §3).
func (s *roomService) moderates(at, who jid.JID, id string) {
	x := stanza.NewElement("urn:xmpp:message-moderate:1", "moderate").With("id", id).Add(stanza.NewElement("urn:xmpp:message-retract:1", "retract"))
	s.give(stanza.NewIQ(at, who, stanza.TypeSet, x))
}

// shownID is the id that a room has given to the last message with a text that somebody has received.
func (h *harness) shownID(who jid.JID, text string) (id string) {
	h.Helper()
	for _, st := range h.received(who) {
		if strings.HasSuffix(st.Body(), text) {
			id = stanzaID(st)
		}
	}
	if id == "" {
		h.Fatalf("%s did not receive %q", who, text)
	}
	return id
}

// A moderator of a linked room removes messages of anybody in the channel and in the other linked rooms, once.
func TestModerationOfALinkedRoom(t *testing.T) {
	withRooms(t, func(h *harness, s *roomService) {
		lawn := jid.MustParse("lawn@rooms.example.org")
		s.enter(lawn, phone, "Ann of the lawn")
		s.enter(lawn, fay, "Fay")
		for _, at := range []jid.JID{garden, lawn} { // the gateway becomes a moderator
			s.give(stanza.NewIQ(at, phone, stanza.TypeSet, stanza.NewElement("http://jabber.org/protocol/muc#admin", "query").
				Add(stanza.NewElement("http://jabber.org/protocol/muc#admin", "item").With("jid", domain.String()).With("affiliation", "admin"))))
			h.linkRoom("plaza", at)
		}
		for name, say := range map[string]func(){
			"of the network": func() { h.world.Say("plaza", "cleo", "to be removed") },
			"of the room":    func() { s.say(garden, eve, text("to be removed")) },
		} {
			h.discard()
			say()
			time.Sleep(time.Second)
			id := h.shownID(eve, "to be removed")
			h.discard()
			s.moderates(garden, phone, id)
			time.Sleep(time.Minute)
			if n := h.times("plaza", "to be removed"); n != 0 {
				t.Errorf("%s: the network has %q", name, h.world.Texts("plaza"))
			}
			got := h.messages(fay)
			slices.Sort(got)
			if len(got) != 2 || got[0] != "garden moderated" || !strings.HasPrefix(got[1], "lawn") || !strings.HasSuffix(got[1], "retracted") {
				t.Errorf("%s: fay got %q", name, got)
			}
		}
		h.restart()
		time.Sleep(time.Minute)
		h.expect(fay)
	})
}

// A room with version 0.2 of XEP-0425 announces removals otherwise; only the room itself may.
func TestOldModerationOfALinkedRoom(t *testing.T) {
	withRooms(t, func(h *harness, s *roomService) {
		h.linkRoom("plaza", garden)
		h.world.Say("plaza", "cleo", "hello")
		time.Sleep(time.Second)
		id := h.shownID(eve, "hello")
		moderated := stanza.NewElement("urn:xmpp:message-moderate:0", "moderated").With("by", garden.String()+"/Fay").Add(stanza.NewElement("urn:xmpp:message-retract:0", "retract"))
		fasten := stanza.NewElement("urn:xmpp:fasten:0", "apply-to").With("id", id).Add(moderated)
		s.say(garden, eve, fasten.Clone())
		s.say(garden, eve, stanza.NewElement("urn:xmpp:message-retract:1", "retract").With("id", id).Add(stanza.NewElement("urn:xmpp:message-moderate:1", "moderated")))
		time.Sleep(time.Minute)
		h.expectNetwork("plaza", "cleo: hello")
		to, _ := domain.WithResource("link-1")
		h.send(stanza.NewMessage(to, garden, stanza.TypeGroupchat, fasten))
		time.Sleep(time.Minute)
		h.expectNetwork("plaza")
	})
}

// unmoderated is a network where nobody removes messages of others.
type unmoderated struct{ transports.Network }

func (n unmoderated) Info() transports.Info {
	i := n.Network.Info()
	i.Caps.Moderate = false
	return i
}

// A moderator is told why a message stays in the channel. What the login has sent is removed everywhere.
func TestModerationThatTheNetworkRefuses(t *testing.T) {
	for name, want := range map[string]string{"undeclared": "does not let the account of the link remove", "refused": "You may not delete this."} {
		t.Run(name, func(t *testing.T) {
			withRooms(t, func(h *harness, s *roomService) {
				if name == "undeclared" {
					h.net = unmoderated{h.net}
					h.restart()
					time.Sleep(time.Minute)
				}
				h.linkRoom("plaza", garden)
				if list := h.runForm(phone, "linked-rooms", nil); strings.Contains(list, "moderators&apos; removals of messages of others") != (name == "undeclared") {
					t.Error(list)
				}
				h.world.Say("plaza", "cleo", "stays")
				s.say(garden, eve, text("goes"))
				time.Sleep(time.Second)
				stays, goes := h.shownID(eve, "stays"), ""
				h.world.Say("plaza", "cleo", "more")
				goes = s.say(garden, fay, text("goes too"))
				time.Sleep(time.Second)
				s.moderates(garden, phone, goes)
				time.Sleep(time.Second)
				h.discard()
				if name == "refused" {
					h.world.Fault(faultnet.Fault{Err: transports.Refuse("forbidden", "You may not delete this.", nil)})
				}
				s.moderates(garden, phone, stays)
				time.Sleep(time.Minute)
				h.expectNetwork("plaza", "cleo: stays", "ann: Eve: goes", "cleo: more")
				if got := strings.Join(h.messages(phone), "\n"); !strings.Contains(got, want) {
					t.Errorf("the moderator got %q", got)
				}
			})
		})
	}
}

// The topic of a channel becomes the subject of the linked rooms when it changes, once; a name does not.
func TestTopicOfALinkedRoom(t *testing.T) {
	withRooms(t, func(h *harness, s *roomService) {
		s.give(stanza.NewIQ(garden, phone, stanza.TypeSet, stanza.NewElement("http://jabber.org/protocol/muc#admin", "query").
			Add(stanza.NewElement("http://jabber.org/protocol/muc#admin", "item").With("jid", domain.String()).With("affiliation", "admin"))))
		h.linkRoom("plaza", garden)
		describe := func(change func(*transports.RoomInfo)) {
			h.check(h.world.Do(func(as faultnet.As) error { return as.Describe("plaza", true, change) }))
			time.Sleep(time.Second)
		}
		for range 2 {
			describe(func(i *transports.RoomInfo) { i.Topic = "Cake at five" })
		}
		describe(func(i *transports.RoomInfo) { i.Name = "The plaza" })
		h.expectInRoom(eve, "garden/Echo subject: Cake at five")
		h.discard()
		h.restart()
		time.Sleep(time.Minute)
		h.expectInRoom(eve)
		h.world.Say("plaza", "cleo", "more")
		h.expectInRoom(eve, "garden/Cleo: more")
	})
}

// A private message to a puppet is refused, with what to do instead.
func TestPrivateMessageInALinkedRoom(t *testing.T) {
	withRooms(t, func(h *harness, s *roomService) {
		h.linkRoom("plaza", garden)
		h.world.Say("plaza", "cleo", "hello")
		time.Sleep(time.Second)
		h.discard()
		var answers []string
		deliver := h.others
		h.others = func(st *stanza.Stanza) bool {
			if st.Type == stanza.TypeError {
				answers = append(answers, st.Err().Text)
			}
			return deliver(st)
		}
		to, _ := contact("cleo").WithResource("link-1")
		from, _ := garden.WithResource("Eve")
		h.send(stanza.NewMessage(to, from, stanza.TypeChat, text("psst")))
		time.Sleep(time.Second)
		if len(answers) != 1 || !strings.Contains(answers[0], "you can write to "+contact("cleo").String()) {
			t.Errorf("eve got %q", answers)
		}
		h.expectNetwork("plaza", "cleo: hello")
	})
}
