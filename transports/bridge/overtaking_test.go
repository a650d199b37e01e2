package bridge_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/faultnet"
)

// answerDelay is how long the network's answers take, while its events come at once.
const answerDelay = 700 * time.Millisecond

// lateAnswers delays the answers to the next n calls.
func (h *harness) lateAnswers(n int) {
	for range n {
		h.world.Fault(faultnet.Fault{Delay: answerDelay})
	}
}

// The event of a change of ours overtakes the answer to the call that made it: the change is shown once, as that of its author.
// Events of deletions may not say whose they are, or name the bot of the login.
func TestEventsThatOvertakeTheAnswer(t *testing.T) {
	for _, bot := range []transports.UserID{"", "the-bot", "nobody"} {
		t.Run(fmt.Sprintf("bot=%q", bot), func(t *testing.T) {
			withGateway(t, func(h *harness) {
				h.world.Bot = bot
				h.start()
				h.link(phone, "ann")
				h.link(desk, "ben")
				h.join(phone, "plaza")
				h.join(desk, "plaza")
				h.discard()
				st := h.sendToRoom(phone, "plaza", "hello")
				id := stanzaID(h.received(phone)[0])
				h.lateAnswers(5)
				toRoom := func(x ...*stanza.Element) {
					h.send(stanza.NewMessage(room("plaza"), phone, stanza.TypeGroupchat, x...))
				}
				for _, change := range []struct {
					make func()
					want string
				}{
					{func() { h.sendToRoom(phone, "plaza", "hello!", replace(st.ID)) }, "plaza/Ann corrected: hello!"},
					{func() { toRoom(reactions(id, "👍", "🎉")) }, "plaza/Ann reacted 👍🎉"},
					{func() { toRoom(reactions(id, "🎈")) }, "plaza/Ann reacted 🎈"},
					{func() { toRoom(retract(id)) }, "plaza/Ann retracted"},
				} {
					h.discard()
					change.make()
					time.Sleep(time.Minute)
					h.expect(phone, change.want)
				}
				h.expectNetwork("plaza")
			})
		})
	}
}

// The answers come at once and the events late, when the next change has been made already.
func TestEventsThatComeAfterTheNextChange(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		st := h.sendToRoom(phone, "plaza", "hello")
		h.discard()
		h.world.DelayEvents(answerDelay)
		for _, text := range []string{"hello!", "hello!!", "hello"} {
			h.sendToRoom(phone, "plaza", text, replace(st.ID))
		}
		for _, set := range [][]string{{"👍"}, {}, {"🎉", "👍"}, {"🎉"}} {
			h.send(stanza.NewMessage(room("plaza"), phone, stanza.TypeGroupchat, reactions(st.ID, set...)))
		}
		time.Sleep(time.Minute)
		for _, topic := range []string{"cats", "dogs"} {
			h.send(stanza.NewMessage(room("plaza"), phone, stanza.TypeGroupchat, stanza.TextElement("", "subject", topic)))
		}
		time.Sleep(time.Minute)
		h.expect(phone, "plaza/Ann corrected: hello!", "plaza/Ann corrected: hello!!", "plaza/Ann corrected: hello",
			"plaza/Ann reacted 👍", "plaza/Ann reacted ", "plaza/Ann reacted 🎉👍", "plaza/Ann reacted 🎉",
			"plaza/Ann subject: cats", "plaza/Ann subject: dogs")
		// What ann does in the network's own client is shown.
		id := h.world.Last("plaza").ID
		h.check(h.world.Do(func(as faultnet.As) error {
			if err := as.React("plaza", "ann", id, []string{"👍"}, nil); err != nil {
				return err
			}
			return as.Edit("plaza", "ann", id, "bye")
		}))
		time.Sleep(time.Minute)
		h.expect(phone, "plaza/Ann reacted 🎉👍", "plaza/Ann corrected: bye")
	})
}
