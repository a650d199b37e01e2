package bridge_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

const (
	nsOccupantID = "urn:xmpp:occupant-id:0"
	nsStanzaID   = "urn:xmpp:sid:0"
)

func occupantID(id string) *stanza.Element {
	return stanza.NewElement(nsOccupantID, "occupant-id").With("id", id)
}

func correction(id string) *stanza.Element {
	return stanza.NewElement("urn:xmpp:message-correct:0", "replace").With("id", id)
}

// mallory is somebody who wants to be taken for Eve.
var mallory = jid.MustParse("mallory@example.org/web")

// hedge makes a room that shows its occupants' addresses to moderators only, and links it to the plaza. The gateway is a member.
func (h *harness) linkedHedge(s *roomService) (hedge jid.JID) {
	hedge = jid.MustParse("hedge@rooms.example.org")
	s.config.WhoIs = rules.WhoIsModerators
	s.enter(hedge, phone, "Ann of the hedge")
	s.enter(hedge, eve, "Eve")
	s.give(stanza.NewIQ(hedge, phone, stanza.TypeSet, stanza.NewElement("http://jabber.org/protocol/muc#admin", "query").
		Add(stanza.NewElement("http://jabber.org/protocol/muc#admin", "item").With("jid", domain.String()).With("affiliation", "member"))))
	h.linkRoom("plaza", hedge)
	return hedge
}

// attempts has somebody correct and retract a message of eve's, and reports an error where the network is another than before.
func (h *harness) attempts(s *roomService, at, who jid.JID, ids []string, as func() *stanza.Element) {
	h.Helper()
	before := h.world.Texts("plaza")
	for _, id := range ids {
		s.say(at, who, retraction(id), as())
		s.say(at, who, text("forged"), correction(id), as())
	}
	time.Sleep(time.Minute)
	if after := h.world.Texts("plaza"); fmt.Sprint(after) != fmt.Sprint(before) {
		h.Errorf("the network has\n%q, and had\n%q", after, before)
	}
}

// Occupant ids and stanza ids that a room does not announce are not believed: its service passes whatever occupants make up.
func TestForgedIDsInALinkedRoom(t *testing.T) {
	for name, hides := range map[string][]string{"occupant ids": {nsOccupantID}, "stanza ids": {nsStanzaID}, "both": {nsOccupantID, nsStanzaID}} {
		t.Run(name, func(t *testing.T) {
			withRooms(t, func(h *harness, s *roomService) {
				s.forgeable = true
				s.hide(hides...)
				h.linkRoom("plaza", garden)
				id, own := s.sayFirst()
				time.Sleep(time.Second)
				h.discard()
				if hides[0] == nsOccupantID {
					for _, as := range []string{"/Eve", "/jid eve@example.org", "/"} {
						h.attempts(s, garden, fay, []string{id, own}, func() *stanza.Element { return forged(occupantID(as)) })
					}
				}
				for i := range 2 { // with the id of another message, the second would be taken for the first
					sid := stanza.NewElement(nsStanzaID, "stanza-id").With("by", garden.String()).With("id", "made up")
					s.say(garden, fay, text(fmt.Sprint("of fay ", i)), forged(sid))
				}
				time.Sleep(time.Minute)
				if hides[len(hides)-1] == nsStanzaID && (h.times("plaza", "Fay: of fay 0") != 1 || h.times("plaza", "Fay: of fay 1") != 1) {
					t.Errorf("the network has %q", h.world.Texts("plaza"))
				}
				s.say(garden, eve, text("changed"), correction(own)) // her own
				time.Sleep(time.Minute)
				if h.times("plaza", "Eve: changed") != 1 {
					t.Errorf("the network has %q", h.world.Texts("plaza"))
				}
			})
		})
	}
}

// Where nothing but the nickname is known of somebody, two persons who have it one after the other are two authors; one who changes it is one.
func TestNicknameOfAnotherInALinkedRoom(t *testing.T) {
	withRooms(t, func(h *harness, s *roomService) {
		s.forgeable = true
		s.hide(nsOccupantID, nsStanzaID)
		hedge := h.linkedHedge(s)
		say := func(what string) string {
			st := stanza.NewMessage(hedge, eve, stanza.TypeGroupchat, text(what))
			st.ID = stanza.NewID()
			s.give(st)
			time.Sleep(time.Second)
			return st.ID
		}
		one, two, three := say("one"), say("two"), say("three")
		s.enter(hedge, eve, "Evelyn")
		s.say(hedge, eve, text("one more"), correction(one))
		s.enter(hedge, eve, "Eve")
		s.say(hedge, eve, retraction(two))
		time.Sleep(time.Minute)
		h.expectNetwork("plaza", "ann: Evelyn: one more", "ann: Eve: three")
		leave, _ := hedge.WithResource("Eve")
		s.give(stanza.NewPresence(leave, eve, stanza.TypeUnavailable))
		s.enter(hedge, mallory, "Eve")
		h.attempts(s, hedge, mallory, []string{one, three}, func() *stanza.Element { return forged() })
		s.say(hedge, mallory, text("of mallory"))
		time.Sleep(time.Minute)
		before := h.world.Texts("plaza")
		h.restart() // the history is read again
		time.Sleep(5 * time.Minute)
		if after := h.world.Texts("plaza"); fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("after a restart the network has\n%q, and had\n%q", after, before)
		}
		h.attempts(s, hedge, mallory, []string{one, three}, func() *stanza.Element { return forged() })
		h.stop()
		s.say(hedge, mallory, text("while away"))
		s.say(hedge, mallory, text("forged"), correction(three))
		h.start()
		time.Sleep(5 * time.Minute)
		if h.times("plaza", "Eve: while away") != 1 || h.times("plaza", "forged") != 0 || h.times("plaza", "Eve: three") != 1 {
			t.Errorf("the network has %q", h.world.Texts("plaza"))
		}
	})
}

// A message that is read later changes none that was written under the same nickname and with the same id: neither is its author's own.
func TestIDOfAnotherInALinkedRoom(t *testing.T) {
	withRooms(t, func(h *harness, s *roomService) {
		s.forgeable = true
		s.hide(nsOccupantID, nsStanzaID)
		hedge := h.linkedHedge(s)
		h.stop()
		say := func(who jid.JID, content ...*stanza.Element) {
			st := stanza.NewMessage(hedge, who, stanza.TypeGroupchat, content...)
			st.ID = "an id that everybody sees"
			s.give(st)
		}
		say(eve, text("of eve"))
		leave, _ := hedge.WithResource("Eve")
		s.give(stanza.NewPresence(leave, eve, stanza.TypeUnavailable))
		s.enter(hedge, mallory, "Eve")
		say(mallory, text("forged"), correction("an id that everybody sees"))
		say(mallory, retraction("an id that everybody sees"))
		h.start()
		time.Sleep(5 * time.Minute)
		h.expectNetwork("plaza", "ann: Eve: of eve")
	})
}

// A room whose service no longer knows occupant ids says that its configuration has changed, or is asked now and then.
func TestLinkedRoomThatLosesOccupantIDs(t *testing.T) {
	for name, says := range map[string]bool{"says so": true, "is asked": false} {
		t.Run(name, func(t *testing.T) {
			withRooms(t, func(h *harness, s *roomService) {
				s.forgeable = true
				h.linkRoom("plaza", garden)
				id, own := s.sayFirst()
				time.Sleep(time.Second)
				of := ""
				for _, st := range h.received(fay) {
					if x := st.Child(nsOccupantID, "occupant-id"); st.Body() == "first" && x != nil {
						of = x.Attr("id")
					}
				}
				if of == "" {
					t.Fatal("eve has no occupant id")
				}
				s.hide(nsOccupantID)
				if says {
					to, _ := domain.WithResource("link-1")
					h.send(stanza.NewMessage(to, garden, stanza.TypeGroupchat, stanza.NewElement("http://jabber.org/protocol/muc#user", "x").
						Add(stanza.NewElement("http://jabber.org/protocol/muc#user", "status").With("code", "104"))))
				}
				time.Sleep(10 * time.Minute)
				h.attempts(s, garden, fay, []string{id, own}, func() *stanza.Element { return forged(occupantID(of)) })
				s.say(garden, eve, text("still here"))
				time.Sleep(time.Minute)
				if h.times("plaza", "Eve: still here") != 1 || !strings.HasSuffix(h.world.Texts("plaza")[0], "first") {
					t.Errorf("the network has %q", h.world.Texts("plaza"))
				}
			})
		})
	}
}
