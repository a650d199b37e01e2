package bridge_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	coreroom "github.com/dragoman-im/dragoman/core/room"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
	"github.com/dragoman-im/dragoman/transports/faultnet"
)

// times counts the messages of a channel that end with a text.
func (h *harness) times(channel, text string) (n int) {
	for _, line := range h.world.Texts(transports.RoomID(channel)) {
		if strings.HasSuffix(line, text) {
			n++
		}
	}
	return n
}

// linkWithDisk links the garden to the plaza, over a database that fails while full is set.
func (h *harness) linkWithDisk() (full *atomic.Bool) {
	h.Helper()
	h.linkRoom("plaza", garden)
	full = &atomic.Bool{}
	h.engine = func(e tables.Engine) tables.Engine { return failingStore{e, full} }
	h.restart()
	time.Sleep(time.Minute)
	return full
}

// What could not be kept is taken again, once and before what is said later is forgotten.
func TestLinkedRoomOnAFullDisk(t *testing.T) {
	withRooms(t, func(h *harness, s *roomService) {
		full := h.linkWithDisk()
		full.Store(true)
		s.say(garden, eve, text("not kept"))
		time.Sleep(time.Second)
		full.Store(false)
		s.say(garden, eve, text("later"))
		time.Sleep(time.Minute)
		for _, when := range []string{"at once", "after a restart"} {
			if a, b := h.times("plaza", "Eve: not kept"), h.times("plaza", "Eve: later"); a != 1 || b != 1 {
				t.Errorf("%s the network has %q", when, h.world.Texts("plaza"))
			}
			h.restart()
			time.Sleep(time.Minute)
		}
	})
}

// A message that the room never takes does not hold up those behind it.
func TestLinkedMessageThatTheRoomDoesNotTake(t *testing.T) {
	for name, err := range map[string]error{"refused": stanza.NotAcceptable("This message is too large for a room."), "swallowed": nil} {
		t.Run(name, func(t *testing.T) {
			withRooms(t, func(h *harness, s *roomService) {
				var tries atomic.Int64
				s.message = func(m coreroom.Message) (bool, error) {
					if strings.Contains(m.Stanza.Body(), "bad") {
						tries.Add(1)
						return false, err
					}
					return true, nil
				}
				h.linkRoom("plaza", garden)
				h.world.Say("plaza", "cleo", "bad")
				for i := range 100 {
					h.world.Say("plaza", "cleo", fmt.Sprint("good ", i))
				}
				time.Sleep(15 * time.Minute)
				if got := h.messages(eve); len(got) != 100 || got[99] != "garden/Cleo: good 99" {
					t.Errorf("eve got %d messages: %q", len(got), got)
				}
				if n := tries.Load(); n < 1 || n > 20 {
					t.Errorf("it was sent %d times", n)
				}
			})
		})
	}
}

// The origin of a message, which everybody in the room sees, does nothing for other messages.
func TestLinkedMessagesWithTheOriginOfAnother(t *testing.T) {
	withRooms(t, func(h *harness, s *roomService) {
		h.linkRoom("plaza", garden)
		h.world.Say("plaza", "cleo", "hello")
		time.Sleep(time.Second)
		var origin *stanza.Element
		for _, st := range h.received(eve) {
			for e := range st.Tree().Elements() {
				if e.Local == "origin" {
					origin = e.Clone()
				}
			}
		}
		if origin == nil {
			t.Fatal("the message has no origin")
		}
		for i := range 3 {
			s.say(garden, eve, text(fmt.Sprint("copy ", i)), origin.Clone())
			s.say(garden, fay, text(fmt.Sprint("fair ", i)))
			time.Sleep(time.Second)
		}
		time.Sleep(time.Minute)
		for i := range 3 {
			if n := h.times("plaza", fmt.Sprint("Fay: fair ", i)); n != 1 {
				t.Errorf("the network has %q", h.world.Texts("plaza"))
			}
		}
		h.restart()
		time.Sleep(time.Minute)
		s.say(garden, eve, text("copy again"), origin.Clone())
		s.say(garden, fay, text("fair again"))
		time.Sleep(time.Minute)
		if n := h.times("plaza", "Fay: fair again"); n != 1 {
			t.Errorf("the network has %q\n%s", h.world.Texts("plaza"), h.logs.String())
		}
	})
}

// A link that could not be made, and not be removed again either, is shown as one that does not work, and can be made again.
func TestLinkThatCannotBeRemoved(t *testing.T) {
	withRooms(t, func(h *harness, s *roomService) {
		full := &atomic.Bool{}
		h.engine = func(e tables.Engine) tables.Engine { return failingStore{e, full} }
		h.restart()
		time.Sleep(time.Minute)
		s.service.Handle(stanza.NewIQ(garden, phone, stanza.TypeSet, stanza.NewElement("http://jabber.org/protocol/muc#admin", "query").
			Add(stanza.NewElement("http://jabber.org/protocol/muc#admin", "item").With("jid", domain.String()).With("affiliation", "outcast"))))
		s.refused = func() { full.Store(true) }
		answers := map[string]string{"channel": room("plaza").String(), "room": garden.String(), "people": "10"}
		if a := h.runForm(phone, "link-room", answers); !strings.Contains(a, "banned") {
			t.Error(a)
		}
		full.Store(false)
		s.refused = nil
		for range 2 {
			if a := h.runForm(phone, "link-room", answers); !strings.Contains(a, "banned") {
				t.Errorf("tried again: %s", a)
			}
		}
		if list := h.runForm(phone, "linked-rooms", nil); !strings.Contains(list, "stopped: ") {
			t.Error(list)
		}
		s.service.Handle(stanza.NewIQ(garden, phone, stanza.TypeSet, stanza.NewElement("http://jabber.org/protocol/muc#admin", "query").
			Add(stanza.NewElement("http://jabber.org/protocol/muc#admin", "item").With("jid", domain.String()).With("affiliation", "none"))))
		h.linkRoom("plaza", garden)
		h.world.Say("plaza", "cleo", "at last")
		h.expectInRoom(eve, "garden/Cleo: at last")
	})
}

// Who writes very much in a linked room does not keep the people of the channel from writing.
func TestManyMessagesOfALinkedRoom(t *testing.T) {
	withRooms(t, func(h *harness, s *roomService) {
		h.stop()
		h.set.Queue = 20
		h.start()
		h.linkRoom("plaza", garden)
		h.join(phone, "plaza")
		answer := make(chan struct{})
		h.world.Fault(faultnet.Fault{After: answer})
		for i := range 40 {
			s.say(garden, eve, text(fmt.Sprint("much ", i)))
		}
		time.Sleep(time.Second)
		h.discard()
		for i := range 5 {
			h.sendToRoom(phone, "plaza", fmt.Sprint("fair ", i))
		}
		if got := strings.Join(h.messages(phone), "\n"); strings.Contains(got, "error") {
			t.Errorf("ann got %s", got)
		}
		close(answer)
		time.Sleep(time.Minute)
		for i := range 5 {
			if n := h.times("plaza", fmt.Sprint("fair ", i)); n != 1 {
				t.Errorf("the network has %q", h.world.Texts("plaza"))
			}
		}
	})
}
