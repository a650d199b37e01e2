package bridge_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	coreroom "github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// originOf is the element with the origin of a message that somebody got, which everybody in that room sees.
func (h *harness) originOf(who jid.JID, body string) (origin *stanza.Element) {
	h.Helper()
	for _, st := range h.received(who) {
		for e := range st.Tree().Elements() {
			if e.Local == "origin" && strings.Contains(st.Body(), body) {
				origin = e.Clone()
			}
		}
	}
	if origin == nil {
		h.Fatal("the message has no origin")
	}
	return origin
}

// Who gives a message the origin of a message of another linked room takes neither its place nor its id, and cannot change it: also once it is
// not remembered any longer which link has brought it.
func TestOriginOfAMessageOfAnotherLinkedRoom(t *testing.T) {
	withRooms(t, func(h *harness, s *roomService) {
		h.linkedLawn(s)
		lawn := jid.MustParse("lawn@rooms.example.org")
		h.join(phone, "plaza")
		h.discard()
		s.say(lawn, fay, text("of fay"))
		time.Sleep(time.Minute)
		origin := h.originOf(eve, "of fay")
		h.restart()
		time.Sleep(5 * time.Minute)
		h.join(phone, "plaza")
		h.discard()
		before := h.times("plaza", "Fay: of fay")
		id := s.say(garden, eve, text("copy"), origin)
		time.Sleep(time.Second)
		s.say(garden, eve, text("forged"), correction(id))
		s.say(garden, eve, retraction(id))
		s.say(garden, eve, text("fair"))
		time.Sleep(5 * time.Minute)
		if n := h.times("plaza", "Eve: fair"); n != 1 {
			t.Errorf("the network has %q", h.world.Texts("plaza"))
		}
		if n := h.times("plaza", "Fay: of fay"); n != before {
			t.Errorf("the network has %q", h.world.Texts("plaza"))
		}
		for who, from := range map[jid.JID]string{phone: "plaza", fay: "lawn"} {
			changes := slices.DeleteFunc(h.messages(who), func(m string) bool { return strings.HasSuffix(m, "fair") || !strings.HasPrefix(m, from) })
			if len(changes) > 0 {
				t.Errorf("%s got %s", who, fmt.Sprint(changes))
			}
		}
	})
}

// Who knows by which id a message will come to the linked room cannot keep it from coming: only what a link has sent is taken for it.
func TestIDOfAMessageThatIsOnItsWayToALinkedRoom(t *testing.T) {
	withRooms(t, func(h *harness, s *roomService) {
		h.linkRoom("plaza", garden)
		h.discard()
		var first atomic.Pointer[string] // its id
		s.message = func(m coreroom.Message) (bool, error) {
			if first.Load() == nil && strings.Contains(m.Stanza.Body(), "hello") {
				first.Store(&m.Stanza.ID)
				return false, stanza.ResourceConstraint("too fast")
			}
			return true, nil
		}
		h.world.Say("plaza", "cleo", "hello")
		for range 100 { // until its sender has entered
			if first.Load() == nil {
				time.Sleep(10 * time.Millisecond)
			}
		}
		id := first.Load()
		if id == nil {
			t.Error("the message was not sent to the room")
			return
		}
		st := stanza.NewMessage(garden, eve, stanza.TypeGroupchat, text("instead"))
		st.ID = *id
		s.give(st)
		time.Sleep(5 * time.Minute)
		if got := strings.Join(h.messages(fay), "\n"); strings.Count(got, "hello") != 1 {
			t.Errorf("fay got %q", got)
		}
		if n := h.times("plaza", "Eve: instead"); n != 1 {
			t.Errorf("the network has %q", h.world.Texts("plaza"))
		}
	})
}
