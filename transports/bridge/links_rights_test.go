package bridge_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
	"github.com/dragoman-im/dragoman/transports/faultnet"
)

// appoint makes the gateway an administrator of a room, and so a moderator.
func (s *roomService) appoint(at jid.JID) {
	s.give(stanza.NewIQ(at, phone, stanza.TypeSet, stanza.NewElement("http://jabber.org/protocol/muc#admin", "query").
		Add(stanza.NewElement("http://jabber.org/protocol/muc#admin", "item").With("jid", domain.String()).With("affiliation", "admin"))))
}

// linkedLawn makes a second room, which ann owns and fay is in, and links both to the plaza.
func (h *harness) linkedLawn(s *roomService) (lawn jid.JID) {
	lawn = jid.MustParse("lawn@rooms.example.org")
	s.enter(lawn, phone, "Ann of the lawn")
	s.enter(lawn, fay, "Fay")
	for _, at := range []jid.JID{garden, lawn} {
		s.appoint(at)
		h.linkRoom("plaza", at)
	}
	return lawn
}

func retraction(id string) *stanza.Element {
	return stanza.NewElement("urn:xmpp:message-retract:1", "retract").With("id", id)
}

// removals are the retractions and moderations among messages.
func removals(list []string) []string {
	return slices.DeleteFunc(list, func(m string) bool { return !strings.HasSuffix(m, " moderated") && !strings.HasSuffix(m, " retracted") })
}

// A removal by a moderator of a linked room is shown and stored nowhere before the network has carried it out, and not at all where the network
// refuses: whoever owns a room and links it gets no right in the channel by that.
func TestModerationWaitsForTheNetwork(t *testing.T) {
	withRooms(t, func(h *harness, s *roomService) {
		h.linkedLawn(s)
		h.join(phone, "plaza")
		for _, refused := range []bool{true, false} {
			h.world.Say("plaza", "cleo", fmt.Sprint("refused ", refused))
			time.Sleep(time.Second)
			id := h.shownID(eve, fmt.Sprint("refused ", refused))
			h.discard()
			answer := make(chan struct{})
			fault := faultnet.Fault{After: answer}
			if refused {
				fault = faultnet.Fault{Wait: answer, Err: transports.Refuse("forbidden", "You may not delete this.", nil)}
			}
			h.world.Fault(fault)
			s.moderates(garden, phone, id)
			time.Sleep(10 * time.Second)
			for _, who := range []jid.JID{phone, fay} {
				if got := slices.DeleteFunc(removals(h.messages(who)), func(m string) bool { return m == "garden moderated" }); len(got) > 0 {
					t.Errorf("refused %t: before the network has answered %s got %q", refused, who, got)
				}
			}
			close(answer)
			time.Sleep(time.Minute)
			want := "[lawn/Cleo retracted] [plaza moderated]"
			if refused {
				want = "[] []"
			}
			got := fmt.Sprint(removals(h.messages(fay)), slices.DeleteFunc(removals(h.messages(phone)), func(m string) bool { return !strings.HasPrefix(m, "plaza") }))
			if got != want {
				t.Errorf("refused %t: shown %s, want %s", refused, got, want)
			}
			h.send(stanza.NewPresence(room("plaza"), phone, stanza.TypeUnavailable))
			history := ""
			for _, st := range h.join(phone, "plaza") {
				history += st.Body()
			}
			if strings.Contains(history, fmt.Sprint("refused ", refused)) != refused {
				t.Errorf("refused %t: the history has %q", refused, history)
			}
		}
	})
}

// What another login has sent is not the link's own: where the network lets nobody remove messages of others, it stays.
func TestModerationOfWhatAnotherLoginSent(t *testing.T) {
	withRooms(t, func(h *harness, s *roomService) {
		h.net = unmoderated{h.net}
		h.restart()
		time.Sleep(time.Minute)
		h.link(boss, "ben")
		h.linkRoom("plaza", garden)
		h.join(boss, "plaza")
		h.discard()
		h.sendToRoom(boss, "plaza", "of ben")
		time.Sleep(time.Second)
		id := h.shownID(eve, "of ben")
		h.discard()
		s.moderates(garden, phone, id)
		time.Sleep(time.Minute)
		h.expectNetwork("plaza", "ben: of ben")
		if got := removals(h.messages(boss)); len(got) > 0 {
			t.Errorf("the room was shown %q", got)
		}
		if got := strings.Join(h.messages(phone), "\n"); !strings.Contains(got, "does not let the account of the link remove") {
			t.Errorf("the moderator got %q", got)
		}
	})
}

// An occupant changes nothing of what others have written: not what the owner of the link has written on the network, nor what is of other people
// of the network or of the room.
func TestLinkedChangesOfWhatOthersWrote(t *testing.T) {
	withRooms(t, func(h *harness, s *roomService) {
		h.linkedLawn(s)
		h.join(phone, "plaza")
		h.discard()
		h.world.Say("plaza", "ann", "of the owner")
		h.world.Say("plaza", "cleo", "of cleo")
		s.say(garden, fay, text("of fay"))
		s.say(garden, phone, text("of ann of the garden"))
		time.Sleep(time.Minute)
		var shown []*stanza.Stanza
		for _, st := range h.received(eve) {
			if st.Kind == stanza.Message && strings.Contains(st.Body(), "of ") && st.Type == stanza.TypeGroupchat {
				shown = append(shown, st)
			}
		}
		if len(shown) != 4 {
			t.Fatalf("eve got %d messages", len(shown))
		}
		h.discard()
		before := h.world.Texts("plaza")
		for _, st := range shown {
			for _, id := range []string{stanzaID(st), st.ID} {
				s.say(garden, eve, retraction(id))
				s.say(garden, eve, retraction(id).Add(stanza.NewElement("urn:xmpp:message-moderate:1", "moderated").With("by", garden.String()+"/Fay")))
				s.say(garden, eve, text("forged"), stanza.NewElement("urn:xmpp:message-correct:0", "replace").With("id", id))
			}
		}
		time.Sleep(time.Minute)
		if after := h.world.Texts("plaza"); fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("the network has\n%q, and had\n%q", after, before)
		}
		for who, from := range map[jid.JID]string{phone: "plaza", fay: "lawn"} {
			if got := slices.DeleteFunc(h.messages(who), func(m string) bool { return !strings.HasPrefix(m, from) }); len(got) > 0 {
				t.Errorf("%s got %q", who, got)
			}
		}
		if got := strings.Join(h.messages(eve), "\n"); !strings.Contains(got, "Only its author may retract a message.") {
			t.Errorf("eve got %q", got)
		}
	})
}

// What an occupant writes does not remove a message in the name of a moderator, or look like a message that was removed, in any namespace.
func TestForgedModerationInALinkedRoom(t *testing.T) {
	withRooms(t, func(h *harness, s *roomService) {
		s.forgeable = true
		h.linkedLawn(s)
		h.join(phone, "plaza")
		h.world.Say("plaza", "cleo", "hello")
		s.say(garden, eve, text("mine"))
		time.Sleep(time.Second)
		list := h.received(eve)
		h.discard()
		moderated := stanza.NewElement("urn:xmpp:message-moderate:1", "moderated").With("by", garden.String()+"/Fay")
		for _, st := range list {
			id := stanzaID(st)
			if id == "" {
				continue
			}
			for _, e := range []*stanza.Element{
				retraction(id).Add(moderated.Clone()), moderated.Clone(),
				stanza.NewElement("urn:xmpp:message-retract:1", "retracted").With("stamp", "2026-01-01T00:00:00Z").Add(moderated.Clone()),
				stanza.NewElement("urn:xmpp:fasten:0", "apply-to").With("id", id).
					Add(stanza.NewElement("urn:xmpp:message-moderate:0", "moderated").Add(stanza.NewElement("urn:xmpp:message-retract:0", "retract"))),
				stanza.NewElement("urn:xmpp:message-moderate:0", "moderated"), stanza.NewElement("urn:xmpp:message-retract:0", "retract"),
			} {
				s.say(garden, eve, text("more"), forged(e))
			}
		}
		time.Sleep(time.Minute)
		for who, from := range map[jid.JID]string{phone: "plaza", fay: "lawn"} {
			for _, st := range h.received(who) {
				if st.Kind != stanza.Message || st.From.Local() != from {
					continue
				}
				for _, bad := range []string{"moderated", "retracted", "message-retract:0", "fasten"} {
					if strings.Contains(st.Payload, bad) {
						t.Errorf("%s got %s", who, st)
					}
				}
			}
		}
		h.send(stanza.NewPresence(room("plaza"), phone, stanza.TypeUnavailable))
		for _, st := range h.join(phone, "plaza") {
			if strings.Contains(st.Payload, "moderated") {
				t.Errorf("the history has %s", st)
			}
		}
	})
}

// What the network has removed when the process was killed, before it knew, is shown to the channel's room once it runs again, and once.
func TestModerationAndKilledBeforeTheAnswer(t *testing.T) {
	withRooms(t, func(h *harness, s *roomService) {
		dead := &atomic.Bool{}
		h.engine = func(e tables.Engine) tables.Engine { return stoppedStore{e, dead} }
		h.restart()
		time.Sleep(time.Minute)
		h.linkedLawn(s)
		h.world.Say("plaza", "cleo", "to be removed")
		time.Sleep(time.Second)
		id := h.shownID(eve, "to be removed")
		h.world.Fault(faultnet.Fault{After: make(chan struct{})})
		s.moderates(garden, phone, id)
		time.Sleep(time.Second)
		h.killedForAnHour(dead)
		h.expectNetwork("plaza")
		if got := removals(h.messages(fay)); fmt.Sprint(got) != "[lawn moderated]" { // Cleo has not entered again
			t.Errorf("fay got %q", got)
		}
		history := ""
		for _, st := range h.join(phone, "plaza") {
			history += st.Payload
		}
		if strings.Contains(history, "to be removed") || strings.Count(history, "<moderated") != 2 { // the removal and the tombstone
			t.Errorf("the history has %s", history)
		}
	})
}
