package bridge_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/faultnet"
)

// reactTo sets reactions to a message of the plaza.
func (h *harness) reactTo(id string, emoji ...string) {
	h.send(stanza.NewMessage(room("plaza"), phone, stanza.TypeGroupchat, reactions(id, emoji...)))
}

// withMessage runs a test with a message of cleo's in the plaza, where ann is.
func withMessage(t *testing.T, f func(h *harness, net transports.MessageID, id string)) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		h.discard()
		net := h.world.Say("plaza", "cleo", "party?")
		f(h, net, stanzaID(h.received(phone)[0]))
	})
}

// A reaction that the network refuses is taken back from view, live and in the history; the others of the set stay.
func TestRefusedReactionsAreTakenBack(t *testing.T) {
	withMessage(t, func(h *harness, net transports.MessageID, id string) {
		refused := faultnet.Fault{Err: transports.Refuse("not-acceptable", "There is no such emoji.", nil)}
		h.world.Fault(faultnet.Fault{}, refused)
		h.reactTo(id, "👍", ":nonsense:", "🎉")
		h.expect(phone, "plaza/Ann reacted 👍:nonsense:🎉", "plaza error not-acceptable", "plaza/Ann reacted 🎉👍")
		if got := h.world.Reactions("plaza", net, "ann"); fmt.Sprint(got) != "[👍 🎉]" {
			t.Errorf("the network has %q", got)
		}
		var last string
		for _, st := range h.join(jidOf("ann@example.org/laptop"), "plaza") {
			if s := show(st); st.Child("urn:xmpp:reactions:0", "reactions") != nil {
				last = s
			}
		}
		if last != "plaza/Ann reacted 🎉👍" {
			t.Errorf("the history ends with %q", last)
		}
		h.discard()
		// Where another set was sent meanwhile, that one's outcome counts.
		wait := make(chan struct{})
		h.world.Fault(faultnet.Fault{Err: refused.Err, Wait: wait})
		h.reactTo(id, "👍", "🎉", ":nonsense:")
		h.reactTo(id, "🎉")
		close(wait)
		h.expect(phone, "plaza/Ann reacted 👍🎉:nonsense:", "plaza/Ann reacted 🎉", "plaza error not-acceptable")
	})
}

// Two forms of one emoji are one reaction, on both sides.
func TestReactionsHaveOneForm(t *testing.T) {
	withMessage(t, func(h *harness, net transports.MessageID, id string) {
		h.reactTo(id, "👍", "👍\uFE0F", ":+1:", "❤", "👍🏽", ":+1::skin-tone-4:")
		h.expect(phone, "plaza/Ann reacted 👍❤\uFE0F👍🏽")
		if got := h.world.Reactions("plaza", net, "ann"); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", []string{"👍", "❤\uFE0F", "👍🏽"}) {
			t.Errorf("the network has %q", got)
		}
		do := func(add, remove []string) {
			h.check(h.world.Do(func(as faultnet.As) error { return as.React("plaza", "cleo", net, add, remove) }))
		}
		do([]string{"❤"}, nil)
		do([]string{"❤\uFE0F", ":heart:"}, nil)
		do(nil, []string{"❤"})
		h.expect(phone, "plaza/Cleo reacted ❤\uFE0F", "plaza/Cleo reacted ")
	})
}

// Repeating a set of reactions sets those again that the network has lost.
func TestRepeatedReactionsMend(t *testing.T) {
	withMessage(t, func(h *harness, net transports.MessageID, id string) {
		h.reactTo(id, "👍", "🎉")
		h.world.LoseReactions("plaza", net)
		h.discard()
		h.reactTo(id, "👍", "🎉")
		if got := h.world.Reactions("plaza", net, "ann"); fmt.Sprint(got) != "[👍 🎉]" {
			t.Errorf("the network has %q", got)
		}
		h.expect(phone, "plaza/Ann reacted 👍🎉")
	})
}

// What is removed is removed first, since networks limit how many reactions there are; and what was done before
// the connection was lost is known afterwards.
func TestReactionsAreRemovedBeforeOthersAreAdded(t *testing.T) {
	withMessage(t, func(h *harness, net transports.MessageID, id string) {
		h.world.MaxReactions = 2
		h.reactTo(id, "👍", "🎉")
		h.world.Fault(faultnet.Fault{}, faultnet.Fault{}, faultnet.Fault{Err: transports.Later(0, errors.New("cut"))})
		h.reactTo(id, "🎈", "🍰")
		time.Sleep(time.Minute)
		if got := h.world.Reactions("plaza", net, "ann"); fmt.Sprint(got) != "[🎈 🍰]" {
			t.Errorf("the network has %q", got)
		}
		h.expect(phone, "plaza/Ann reacted 👍🎉", "plaza/Ann reacted 🎈🍰")
	})
}

// Changes of one set that are processed together come in their order.
func TestReactionsOfOneBatch(t *testing.T) {
	withMessage(t, func(h *harness, net transports.MessageID, id string) {
		h.check(h.world.Do(func(as faultnet.As) error {
			return errors.Join(
				as.React("plaza", "cleo", net, []string{"👍"}, nil), as.React("plaza", "cleo", net, nil, []string{"👍"}),
				as.React("plaza", "cleo", net, []string{"🎉"}, nil), as.React("plaza", "cleo", net, nil, []string{"🎉"}), as.React("plaza", "cleo", net, []string{"🎉"}, nil))
		}))
		h.expect(phone, "plaza/Cleo reacted 👍", "plaza/Cleo reacted ", "plaza/Cleo reacted 🎉", "plaza/Cleo reacted ", "plaza/Cleo reacted 🎉")
		h.check(h.world.Do(func(as faultnet.As) error { return as.React("plaza", "cleo", net, []string{"🍰"}, nil) }))
		h.expect(phone, "plaza/Cleo reacted 🍰🎉")
	})
}
