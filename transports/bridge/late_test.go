package bridge_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/faultnet"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// Events that come in another order than that in which they happened: what happened last is on show.
func TestLateEvents(t *testing.T) {
	posted := transports.Message{ID: "m", Text: richtext.FromPlain("v1")}
	edit := func(text string) transports.Body {
		return transports.Edit{ID: "m", Text: richtext.FromPlain(text)}
	}
	deleted := transports.Delete{IDs: []transports.MessageID{"m"}}
	reacted := func(add, remove []string) transports.Body {
		return transports.Reactions{ID: "m", Add: add, Remove: remove}
	}
	thumb := []string{"👍"}
	dan := transports.UserInfo{ID: "dan", Name: "Dan"}
	type event struct {
		second int // when it happened
		body   transports.Body
	}
	for name, tc := range map[string]struct {
		events []event
		want   []string
	}{
		"an older edit":                {[]event{{1, posted}, {3, edit("v3")}, {2, edit("v2")}}, []string{"plaza/Cleo: v1", "plaza/Cleo corrected: v3"}},
		"an edit of the same second":   {[]event{{1, posted}, {1, edit("v2")}, {1, edit("v3")}}, []string{"plaza/Cleo: v1", "plaza/Cleo corrected: v2", "plaza/Cleo corrected: v3"}},
		"edits before the message":     {[]event{{3, edit("v3")}, {2, edit("v2")}, {1, posted}, {4, edit("v4")}}, []string{"plaza/Cleo: (edited) v3", "plaza/Cleo corrected: v4"}},
		"a deletion before":            {[]event{{3, deleted}, {1, posted}, {2, edit("v2")}}, nil},
		"a deletion before an edit":    {[]event{{1, posted}, {3, deleted}, {2, edit("v2")}}, []string{"plaza/Cleo: v1", "plaza/Cleo retracted"}},
		"a reaction to what is gone":   {[]event{{1, posted}, {3, deleted}, {2, reacted(thumb, nil)}}, []string{"plaza/Cleo: v1", "plaza/Cleo retracted"}},
		"a reaction before":            {[]event{{2, reacted(thumb, nil)}, {1, posted}}, []string{"plaza/Cleo: v1", "plaza/Cleo reacted 👍"}},
		"reactions before":             {[]event{{2, reacted(thumb, nil)}, {3, reacted(nil, thumb)}, {1, posted}}, []string{"plaza/Cleo: v1"}},
		"an older reaction":            {[]event{{1, posted}, {3, reacted(nil, thumb)}, {2, reacted(thumb, nil)}}, []string{"plaza/Cleo: v1"}},
		"a past message with its edit": {[]event{{1, transports.Message{ID: "m", Text: richtext.FromPlain("v3"), Edited: second(3)}}, {2, edit("v2")}}, []string{"plaza/Cleo: v3"}},
		"a person who came and left":   {[]event{{3, transports.Member{User: dan}}, {2, transports.Member{User: dan, Joined: true}}}, nil},
	} {
		for _, together := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, together=%v", name, together), func(t *testing.T) {
				withGateway(t, func(h *harness) {
					h.start()
					h.link(phone, "ann")
					h.join(phone, "plaza")
					h.discard()
					start := time.Now()
					emit := func(as faultnet.As, i int, e event) {
						at := start.Add(time.Duration(e.second-10) * time.Second)
						if m, ok := e.body.(transports.Message); ok && !m.Edited.IsZero() {
							m.Edited = start.Add(m.Edited.Sub(second(10)))
							e.body = m
						}
						h.check(as.Emit("plaza", transports.Event{Key: fmt.Sprint("late ", i), Actor: "cleo", At: at, Body: e.body}))
					}
					if together { // one batch
						h.check(h.world.Do(func(as faultnet.As) error {
							for i, e := range tc.events {
								emit(as, i, e)
							}
							return nil
						}))
					} else {
						for i, e := range tc.events {
							h.check(h.world.Do(func(as faultnet.As) error { emit(as, i, e); return nil }))
							synctest.Wait()
						}
					}
					h.expect(phone, tc.want...)
					var n int
					h.check(h.db().QueryRow(`SELECT count(*) FROM bridge_members WHERE person = 'dan'`).Scan(&n))
					if n > 0 {
						t.Error("dan is in the room")
					}
				})
			})
		}
	}
}

// second is a time that is told apart from others only.
func second(n int) time.Time { return time.Unix(int64(n), 0) }

// What waits for a call keeps its order: a deletion or reaction does not pass the message that it is about.
func TestEventsAboutHeldMessages(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.world.NoNonce = true
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		h.discard()
		wait := make(chan struct{})
		h.world.Fault(faultnet.Fault{Wait: wait})
		h.sendToRoom(phone, "plaza", "from here")
		id := h.world.Say("plaza", "ann", "from there") // it may be the echo of the call
		h.check(h.world.Do(func(as faultnet.As) error { return as.React("plaza", "cleo", id, []string{"👍"}, nil) }))
		h.check(h.world.Do(func(as faultnet.As) error { return as.Delete("plaza", "ben", id) }))
		h.expect(phone, "plaza/Ann: from here")
		close(wait)
		h.expect(phone, "plaza/Ann: from there", "plaza/Cleo reacted 👍", "plaza moderated")
		h.expectNetwork("plaza", "ann: from here")
	})
}
