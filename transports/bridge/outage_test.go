package bridge_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports/faultnet"
)

// seen are the messages that ann received in an outage: in the room, in the direct chat,
// and those that say that something waits.
type seen struct{ room, direct, waits []string }

func (s *seen) add(messages []string) {
	for _, m := range messages {
		where, text, _ := strings.Cut(m, ": ")
		switch {
		case strings.Contains(text, "cannot be reached"):
			s.waits = append(s.waits, where)
		case strings.HasPrefix(where, "plaza/"):
			s.room = append(s.room, m)
		default:
			s.direct = append(s.direct, m)
		}
	}
}

// The network is away for an hour. Both sides write on, in a room and in a conversation, and the
// gateway is restarted in the middle of it: everything arrives once and in order, and who writes
// is notified once in each conversation that it waits.
func TestOutage(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		h.world.Say("plaza", "cleo", "before")
		h.world.SayDirect("cleo", "ann", "dear")
		h.discard()
		h.world.Outage(true)
		var got seen
		var reflected, roomIn, roomOut, directIn, directOut []string
		for i := range 20 {
			if i == 10 {
				got.add(h.messages(phone))
				h.restart()
				if entered := fmt.Sprint(h.join(phone, "plaza")); !strings.Contains(entered, "plaza@echo.example.org/Cleo") {
					t.Errorf("who is in the room is forgotten: %s", entered)
				}
				h.discard() // the room's history
			}
			h.sendToRoom(phone, "plaza", fmt.Sprint("out ", i))
			h.world.Say("plaza", "cleo", fmt.Sprint("in ", i))
			h.sendTo(phone, "cleo", fmt.Sprint("out ", i))
			h.world.SayDirect("cleo", "ann", fmt.Sprint("in ", i))
			reflected, roomIn = append(reflected, fmt.Sprint("plaza/Ann: out ", i)), append(roomIn, fmt.Sprint("plaza/Cleo: in ", i))
			roomOut, directIn, directOut = append(roomOut, fmt.Sprint("ann: out ", i)), append(directIn, fmt.Sprint("cleo: in ", i)), append(directOut, fmt.Sprint("ann: out ", i))
			time.Sleep(3 * time.Minute)
		}
		got.add(h.messages(phone))
		if fmt.Sprint(got.waits) != "[plaza cleo]" && fmt.Sprint(got.waits) != "[cleo plaza]" {
			t.Errorf("told that it waits in %q, want once in each where", got.waits)
		}
		if fmt.Sprint(got.room) != fmt.Sprint(reflected) || len(got.direct) > 0 {
			t.Errorf("during the outage: %q, %q", got.room, got.direct)
		}
		h.expectNetwork("plaza", append([]string{"cleo: before"}, swap(roomIn, "plaza/Cleo", "cleo")...)...)
		h.world.Outage(false)
		time.Sleep(10 * time.Minute)

		var after seen
		after.add(h.messages(phone))
		if fmt.Sprint(after.room) != fmt.Sprint(roomIn) || fmt.Sprint(after.direct) != fmt.Sprint(directIn) || len(after.waits) > 0 {
			t.Errorf("after the outage: %q, %q, %q", after.room, after.direct, after.waits)
		}
		h.expectNetwork("plaza", slices.Concat([]string{"cleo: before"}, swap(roomIn, "plaza/Cleo", "cleo"), roomOut)...)
		h.expectNetwork(faultnet.DirectRoom("ann", "cleo"), slices.Concat([]string{"cleo: dear"}, directIn, directOut)...)
		h.sendToRoom(phone, "plaza", "again")
		h.world.SayDirect("cleo", "ann", "again")
		h.expect(phone, "plaza/Ann: again", "cleo: again")
	})
}

// swap replaces the beginnings of lines.
func swap(lines []string, old, with string) []string {
	var list []string
	for _, l := range lines {
		list = append(list, with+strings.TrimPrefix(l, old))
	}
	return list
}

// The network is away for longer than messages wait. What was written comes back, from each where,
// with an error that says so, and is not sent when the network is there again; what the
// network's people wrote arrives all the same.
func TestOutageLongerThanMessagesWait(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		h.discard()
		h.world.Outage(true)
		h.discard()                // the session has noticed: no call is made whose end nobody knows
		lost := map[string]string{ // stanza's id to where it was sent
			h.sendToRoom(phone, "plaza", "one").ID: "plaza", h.sendToRoom(phone, "plaza", "two").ID: "plaza", h.sendTo(phone, "cleo", "three").ID: "cleo",
		}
		time.Sleep(time.Hour)
		h.restart() // the wait is not begun anew
		h.join(phone, "plaza")
		h.discard()
		h.world.Say("plaza", "cleo", "in")
		h.world.SayDirect("cleo", "ann", "in")
		time.Sleep(22*time.Hour + 59*time.Minute)
		h.expect(phone) // not a minute too early, and nobody is told anew that it waits
		late := h.sendToRoom(phone, "plaza", "late").ID
		time.Sleep(2 * time.Minute)
		var waits int
		for _, st := range h.received(phone) {
			switch e := st.Err(); {
			case st.Kind != stanza.Message:
			case st.Type != stanza.TypeError:
				if strings.Contains(st.Body(), "cannot be reached") {
					waits++
				}
			case lost[st.ID] != st.From.Local() || e.Condition != "remote-server-timeout" || e.Type != "wait" ||
				e.Text != "Echo could not be reached in time; the message was not sent.":
				t.Errorf("came back: %s", st)
			default:
				delete(lost, st.ID)
			}
		}
		if len(lost) > 0 || waits > 1 {
			t.Errorf("not come back: %q; told %d times that later ones wait", lost, waits)
		}
		h.world.Outage(false)
		time.Sleep(time.Hour)
		h.expectNetwork("plaza", "cleo: in", "ann: late")
		h.expectNetwork(faultnet.DirectRoom("ann", "cleo"), "cleo: in")
		var after seen
		after.add(h.messages(phone))
		if fmt.Sprint(after.room) != "[plaza/Cleo: in]" || fmt.Sprint(after.direct) != "[cleo: in]" {
			t.Errorf("from the network: %q, %q (%s was sent late)", after.room, after.direct, late)
		}
		h.sendToRoom(phone, "plaza", "found")
		h.expect(phone, "plaza/Ann: found")
		h.expectNetwork("plaza", "cleo: in", "ann: late", "ann: found")
	})
}
