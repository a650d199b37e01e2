package bridge_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/faultnet"
)

// After a gap the history of one room cannot be read, again and again. The events of that room are held for a bounded time, and
// those of the others not at all.
func TestHistoryThatCannotBeRead(t *testing.T) {
	for name, c := range map[string]struct {
		err   *transports.Error
		bound time.Duration
	}{
		"an answer that makes no sense":   {&transports.Error{Class: transports.Retry, Unreadable: true, After: time.Second}, time.Minute},
		"an error that passes":            {transports.Later(time.Second, errors.New("busy")), 12 * time.Minute},
		"a network that asks for an hour": {&transports.Error{Class: transports.Retry, Unsent: true, After: time.Hour}, 12 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			withGateway(t, func(h *harness) {
				h.start()
				h.link(phone, "ann")
				h.join(phone, "plaza")
				h.join(phone, "den")
				h.discard()
				h.world.FailHistory("plaza", c.err)
				h.world.Outage(true)
				h.world.Outage(false)
				h.world.Say("plaza", "cleo", "held")
				h.world.Say("den", "cleo", "not held")
				time.Sleep(time.Second / 2)
				h.expect(phone, "den/Cleo: not held")
				time.Sleep(c.bound)
				h.expect(phone, "plaza/Cleo: held")
				h.world.Say("plaza", "cleo", "live")
				h.world.Say("den", "cleo", "live too")
				time.Sleep(time.Second)
				live := h.messages(phone)
				if slices.Sort(live); !slices.Equal(live, []string{"den/Cleo: live too", "plaza/Cleo: live"}) {
					t.Errorf("%q", live)
				}
			})
		})
	}
}

// A call whose answers make no sense is given up after a few tries. What waits behind it is sent.
func TestCallWhoseAnswersMakeNoSense(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		h.discard()
		bad := &transports.Error{Class: transports.Retry, Text: "the answer makes no sense", After: time.Second, Unreadable: true}
		h.world.Fault(faultnet.Fault{Err: bad}, faultnet.Fault{Err: bad}, faultnet.Fault{Err: bad}, faultnet.Fault{Err: bad}, faultnet.Fault{Err: bad}, faultnet.Fault{Err: bad})
		h.sendToRoom(phone, "plaza", "one")
		h.sendToRoom(phone, "plaza", "two")
		time.Sleep(10 * time.Minute)
		h.expectNetwork("plaza", "ann: two")
		got := h.messages(phone)
		if !slices.Contains(got, "plaza error remote-server-timeout") {
			t.Errorf("%q", got)
		}
	})
}

// Answers that make no sense are not counted together with an outage: what is sent in it waits for as long as it lasts.
func TestOutageIsNotAnUnreadableAnswer(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		h.discard()
		for range 20 {
			h.world.Fault(faultnet.Fault{Err: transports.Later(time.Second, errors.New("away"))})
		}
		h.world.Fault(faultnet.Fault{Err: &transports.Error{Class: transports.Retry, Text: "the answer makes no sense", Unreadable: true}})
		h.sendToRoom(phone, "plaza", "one")
		time.Sleep(2 * time.Hour)
		h.expectNetwork("plaza", "ann: one")
	})
}
