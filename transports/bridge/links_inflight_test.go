package bridge_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
	"github.com/dragoman-im/dragoman/transports/faultnet"
)

// inFlight is something that is said in a linked room about a message of eve's, whose id there is given. "" is said for the message itself.
var inFlight = map[string]func(id, own string) []*stanza.Element{
	"message": func(string, string) []*stanza.Element { return []*stanza.Element{text("another")} },
	"edit": func(_, own string) []*stanza.Element {
		return []*stanza.Element{text("changed"), stanza.NewElement("urn:xmpp:message-correct:0", "replace").With("id", own)}
	},
	"reaction": func(id, _ string) []*stanza.Element {
		return []*stanza.Element{stanza.NewElement("urn:xmpp:reactions:0", "reactions").With("id", id).Add(stanza.TextElement("urn:xmpp:reactions:0", "reaction", "👍"))}
	},
	"reply": func(id, _ string) []*stanza.Element {
		return []*stanza.Element{text("an answer"), stanza.NewElement("urn:xmpp:reply:0", "reply").With("id", id)}
	},
	"retraction": func(id, _ string) []*stanza.Element {
		return []*stanza.Element{stanza.NewElement("urn:xmpp:message-retract:1", "retract").With("id", id)}
	},
}

// has reports whether the network has what was said, once.
func (h *harness) has(kind string, first transports.MessageID) bool {
	lines := h.world.Texts("plaza")
	count := func(suffix string) (n int) {
		for _, l := range lines {
			if strings.HasSuffix(l, suffix) {
				n++
			}
		}
		return n
	}
	switch kind {
	case "message":
		return count("Eve: first") == 1 && count("Eve: another") == 1 && len(lines) == 2
	case "edit":
		return count("Eve: changed") == 1 && len(lines) == 1
	case "reaction":
		return fmt.Sprint(h.world.Reactions("plaza", first, "ann")) == "[👍]" && len(lines) == 1
	case "reply":
		return h.world.Last("plaza").ReplyTo == first && len(lines) == 2
	}
	return len(lines) == 0
}

// sayFirst has eve say something, and returns the ids of it.
func (s *roomService) sayFirst() (id, own string) {
	st := stanza.NewMessage(garden, eve, stanza.TypeGroupchat, text("first"))
	st.ID = stanza.NewID()
	s.give(st)
	for _, got := range s.h.received(eve) {
		if got.ID == st.ID {
			id = stanzaID(got)
		}
	}
	return id, st.ID
}

// What is said in a linked room about a message whose call has not been answered yet comes to the network when it has.
func TestLinkedWhileACallIsInFlight(t *testing.T) {
	for kind, say := range inFlight {
		t.Run(kind, func(t *testing.T) {
			withRooms(t, func(h *harness, s *roomService) {
				h.linkRoom("plaza", garden)
				answer := make(chan struct{})
				h.world.Fault(faultnet.Fault{After: answer})
				id, own := s.sayFirst()
				first := h.world.Last("plaza").ID
				if first == "" || id == "" {
					t.Fatalf("the network has %q", h.world.Texts("plaza"))
				}
				h.discard()
				s.say(garden, eve, say(id, own)...)
				time.Sleep(time.Second)
				close(answer)
				time.Sleep(time.Minute)
				if !h.has(kind, first) {
					t.Errorf("the network has %q", h.world.Texts("plaza"))
				}
				if got := h.messages(eve); len(got) != 1 {
					t.Errorf("eve got %q", got)
				}
			})
		})
	}
}

// What was done on the network when the process was killed, before it knew, is done once and comes back to nobody; later changes of it work.
func TestLinkedAndKilledBeforeTheAnswer(t *testing.T) {
	for kind, say := range inFlight {
		t.Run(kind, func(t *testing.T) {
			withRooms(t, func(h *harness, s *roomService) {
				dead := &atomic.Bool{}
				h.engine = func(e tables.Engine) tables.Engine { return stoppedStore{e, dead} }
				h.restart()
				time.Sleep(time.Minute)
				h.linkRoom("plaza", garden)
				id, own := s.sayFirst()
				time.Sleep(time.Second)
				first := h.world.Last("plaza").ID
				h.world.Fault(faultnet.Fault{After: make(chan struct{})})
				s.say(garden, eve, say(id, own)...)
				time.Sleep(time.Second)
				h.killedForAnHour(dead)
				if !h.has(kind, first) {
					t.Errorf("the network has %q", h.world.Texts("plaza"))
				}
				if got := h.messages(eve); len(got) != 0 {
					t.Errorf("eve got %q", got)
				}
				if kind == "retraction" {
					return
				}
				s.say(garden, eve, inFlight["retraction"](id, own)...)
				time.Sleep(time.Minute)
				if slices.ContainsFunc(h.world.Texts("plaza"), func(l string) bool {
					return strings.HasSuffix(l, "first") || strings.HasSuffix(l, "changed")
				}) {
					t.Errorf("the retraction was not carried: %q", h.world.Texts("plaza"))
				}
			})
		})
	}
}

// An own edit is recognised however late the network reports it, also where it was made twice, since the answer was lost; the next edit by somebody
// at the network is shown.
func TestEchoesOfOwnEdits(t *testing.T) {
	lost := faultnet.Fault{Err: transports.Later(0, errors.New("the answer is lost")), Done: true}
	unsent := faultnet.Fault{Err: &transports.Error{Class: transports.Retry, Text: "not now", Unsent: true, Err: errors.New("not sent")}}
	for name, c := range map[string]struct {
		late   time.Duration
		faults []faultnet.Fault
	}{
		"answered": {late: 3 * time.Hour}, "lost": {10 * time.Second, []faultnet.Fault{lost}}, "lost twice": {0, []faultnet.Fault{lost, lost}},
		"not sent": {10 * time.Second, []faultnet.Fault{unsent}}, "lost and not sent": {3 * time.Hour, []faultnet.Fault{lost, unsent}},
		"not sent and lost": {0, []faultnet.Fault{unsent, lost}},
	} {
		t.Run(name, func(t *testing.T) {
			withRooms(t, func(h *harness, s *roomService) {
				h.linkRoom("plaza", garden)
				id, own := s.sayFirst()
				time.Sleep(time.Minute)
				h.discard()
				h.world.DelayEvents(c.late)
				h.world.Fault(c.faults...)
				s.say(garden, eve, inFlight["edit"](id, own)...)
				time.Sleep(c.late + 5*time.Minute)
				if got := h.messages(eve); len(got) != 1 {
					t.Errorf("eve got %q", got)
				}
				h.discard()
				first := h.world.Last("plaza").ID
				h.check(h.world.Do(func(as faultnet.As) error { return as.Edit("plaza", "ann", first, "by hand") }))
				time.Sleep(c.late + time.Minute)
				if got := h.messages(eve); len(got) != 1 || !strings.HasSuffix(got[0], "by hand") {
					t.Errorf("eve got %q", got)
				}
			})
		})
	}
}

// While somebody of the channel enters under a nickname that is taken, what its owner says is carried.
func TestLinkedWhileANicknameIsTried(t *testing.T) {
	withRooms(t, func(h *harness, s *roomService) {
		other := jid.MustParse("other@example.org/web")
		s.enter(garden, other, "Cleo")
		h.linkRoom("plaza", garden)
		deliver, wrote := h.others, false
		h.others = func(st *stanza.Stanza) bool {
			if st.Kind == stanza.Presence && st.To.Resource() == "Cleo" && !wrote {
				wrote = true
				m := stanza.NewMessage(garden, other, stanza.TypeGroupchat, text("I am Cleo"))
				m.ID = stanza.NewID()
				s.service.Handle(m)
			}
			return deliver(st)
		}
		h.world.Say("plaza", "cleo", "hello")
		synctest.Wait()
		h.expectInRoom(eve, "garden/Cleo: I am Cleo", "garden/Cleo (Echo): hello")
		h.expectNetwork("plaza", "cleo: hello", "ann: Cleo: I am Cleo")
	})
}
