package bridge_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/faultnet"
)

// topic is the topic of a channel.
func (h *harness) topic(channel transports.RoomID) (topic string) {
	h.Helper()
	h.check(h.world.Do(func(as faultnet.As) error {
		return as.Describe(channel, false, func(i *transports.RoomInfo) { topic = i.Topic })
	}))
	return topic
}

// setTopic has the topic of a channel changed on the network.
func (h *harness) setTopic(channel transports.RoomID, topic string) {
	h.Helper()
	h.check(h.world.Do(func(as faultnet.As) error {
		return as.Describe(channel, true, func(i *transports.RoomInfo) { i.Topic = topic })
	}))
}

func subject(text string) *stanza.Element { return stanza.TextElement("", "subject", text) }

// subjects are the changes of subjects among messages.
func subjects(list []string) []string {
	return slices.DeleteFunc(list, func(m string) bool { return !strings.Contains(m, " subject: ") })
}

// The subject of a linked room becomes the topic of the channel and of the other linked rooms, once, and not before the network has taken it.
func TestTopicFromALinkedRoom(t *testing.T) {
	withRooms(t, func(h *harness, s *roomService) {
		h.linkedLawn(s)
		h.join(phone, "plaza")
		h.discard()
		answer := make(chan struct{})
		h.world.Fault(faultnet.Fault{After: answer})
		s.say(garden, phone, subject("Tea at four"))
		time.Sleep(10 * time.Second)
		if got := fmt.Sprint(subjects(h.messages(phone))); got != "[garden/Ann of the garden subject: Tea at four]" {
			t.Errorf("before the answer ann got %s", got)
		}
		close(answer)
		time.Sleep(time.Minute)
		got := subjects(h.messages(phone))
		slices.Sort(got)
		if fmt.Sprint(got) != "[lawn/Echo 2 subject: Tea at four plaza/Ann of the garden subject: Tea at four]" && fmt.Sprint(got) != "[lawn/Echo subject: Tea at four plaza/Ann of the garden subject: Tea at four]" {
			t.Errorf("ann got %s", got)
		}
		if got := h.topic("plaza"); got != "Tea at four" {
			t.Errorf("the topic is %q", got)
		}
		if got := subjects(h.messages(fay)); fmt.Sprint(got) != "[garden/Ann of the garden subject: Tea at four lawn/Echo subject: Tea at four]" {
			t.Errorf("fay got %q", got)
		}
		h.restart()
		time.Sleep(5 * time.Minute)
		if got := subjects(h.messages(fay)); len(got) > 0 {
			t.Errorf("after a restart fay got %q", got)
		}
	})
}

// Where the login may not change the topic, whoever has changed the subject is told so, and the channel keeps its own.
func TestTopicThatTheNetworkRefuses(t *testing.T) {
	for name, want := range map[string]string{"undeclared": "Please change it on Echo.", "refused": "Only admins change topics."} {
		t.Run(name, func(t *testing.T) {
			withRooms(t, func(h *harness, s *roomService) {
				if name == "undeclared" {
					h.net = narrowed{h.net, func(c *transports.Caps) {
						c.Changes = slices.DeleteFunc(slices.Clone(c.Changes), func(k transports.ChangeKind) bool { return k == transports.ChangeTopic })
					}}
					h.restart()
					time.Sleep(time.Minute)
				}
				h.linkRoom("plaza", garden)
				before := h.topic("plaza")
				if name == "refused" {
					h.world.Fault(faultnet.Fault{Err: transports.Refuse("forbidden", "Only admins change topics.", nil)})
				}
				s.say(garden, phone, subject("Tea at four"))
				time.Sleep(time.Minute)
				if got := strings.Join(h.messages(phone), "\n"); !strings.Contains(got, want) {
					t.Errorf("ann got %q", got)
				}
				for range 2 {
					if got := h.topic("plaza"); got != before {
						t.Errorf("the topic is %q", got)
					}
					h.restart()
					time.Sleep(5 * time.Minute)
				}
				if got := strings.Join(h.messages(phone), "\n"); strings.Contains(got, want) {
					t.Errorf("after a restart ann got %q", got)
				}
			})
		})
	}
}

// narrowed is a network that can do less.
type narrowed struct {
	transports.Network
	narrow func(*transports.Caps)
}

func (n narrowed) Info() transports.Info {
	i := n.Network.Info()
	n.narrow(&i.Caps)
	return i
}

// Topics that were changed while the gateway did not run are carried when it runs again; where both sides have changed theirs, they have the same
// one in the end.
func TestTopicsChangedMeanwhile(t *testing.T) {
	withRooms(t, func(h *harness, s *roomService) {
		s.appoint(garden)
		h.linkRoom("plaza", garden)
		garden1 := func() string {
			list := subjects(h.messages(eve))
			if len(list) == 0 {
				return ""
			}
			return list[len(list)-1]
		}
		away := func(change func()) {
			h.discard()
			h.stop()
			change()
			h.start()
			time.Sleep(5 * time.Minute)
		}
		away(func() { h.setTopic("plaza", "of the channel") })
		if got := garden1(); got != "garden/Echo subject: of the channel" {
			t.Errorf("eve got %q", got)
		}
		away(func() { s.say(garden, phone, subject("of the room")) })
		if got := h.topic("plaza"); got != "of the room" {
			t.Errorf("the topic is %q", got)
		}
		away(func() {
			s.say(garden, phone, subject("both: the room"))
			h.setTopic("plaza", "both: the channel")
		})
		agreed := h.topic("plaza")
		if got := garden1(); !strings.HasSuffix(got, "subject: "+agreed) && !(got == "" && agreed == "both: the room") {
			t.Errorf("eve got %q, the topic is %q", got, agreed)
		}
		away(func() {})
		if got := garden1(); got != "" || h.topic("plaza") != agreed {
			t.Errorf("eve got %q, the topic is %q", got, h.topic("plaza"))
		}
	})
}

// A subject that could not be kept is carried once it can.
func TestTopicOnAFullDisk(t *testing.T) {
	withRooms(t, func(h *harness, s *roomService) {
		full := h.linkWithDisk()
		full.Store(true)
		s.say(garden, phone, subject("Tea at four"))
		time.Sleep(time.Minute)
		full.Store(false)
		time.Sleep(time.Minute)
		if got := h.topic("plaza"); got != "Tea at four" {
			t.Errorf("the topic is %q", got)
		}
	})
}

// Who writes is shown on the other side: of the channel's people those who are in the room, and whoever of the room writes as the login.
func TestTypingInALinkedRoom(t *testing.T) {
	withRooms(t, func(h *harness, s *roomService) {
		lawn := jid.MustParse("lawn@rooms.example.org")
		s.enter(lawn, phone, "Ann of the lawn")
		s.enter(lawn, fay, "Fay")
		h.linkRoom("plaza", garden)
		h.linkRoom("den", garden)
		h.linkRoom("plaza", lawn)
		h.world.Say("plaza", "cleo", "hello")
		time.Sleep(time.Minute)
		h.discard()
		for user, want := range map[transports.UserID]string{"cleo": "[garden/Cleo composing]", "ben": "[]"} { // ben has not written yet
			h.check(h.world.Do(func(as faultnet.As) error {
				return as.Emit("plaza", transports.Event{Actor: user, Body: transports.Typing{On: true}})
			}))
			time.Sleep(time.Second)
			if got := fmt.Sprint(h.messages(eve)); got != want {
				t.Errorf("eve got %s of %s, want %s", got, user, want)
			}
		}
		h.discard()
		before := h.world.Count("typing")
		s.say(garden, eve, stanza.NewElement("http://jabber.org/protocol/chatstates", "composing"))
		time.Sleep(time.Minute)
		if n := h.world.Count("typing") - before; n != 2 { // plaza and den
			t.Errorf("the network was told %d times that somebody writes", n)
		}
		if lines := h.world.Texts("plaza"); len(lines) != 1 {
			t.Errorf("the network has %q", lines)
		}
	})
}
