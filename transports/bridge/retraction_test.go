package bridge_test

import (
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/faultnet"
)

// A retraction removes all versions of the message: from the history, from the archive and from the tables.
func TestRetractionRemovesCorrections(t *testing.T) {
	for name, f := range map[string]func(h *harness){
		"ours": func(h *harness) {
			st := h.sendToRoom(phone, "plaza", "secret 1")
			edit := h.sendToRoom(phone, "plaza", "secret 2", replace(st.ID))
			h.sendToRoom(phone, "plaza", "secret 3", replace(edit.ID))
			h.send(stanza.NewMessage(room("plaza"), phone, stanza.TypeGroupchat, retract(st.ID)))
		},
		"ours, all of it waiting to be sent": func(h *harness) {
			h.world.Outage(true)
			st := h.sendToRoom(phone, "plaza", "secret 1")
			h.sendToRoom(phone, "plaza", "secret 2", replace(st.ID))
			h.send(stanza.NewMessage(room("plaza"), phone, stanza.TypeGroupchat, retract(st.ID)))
			h.world.Outage(false)
		},
		"ours in two parts": func(h *harness) {
			st := h.sendToRoom(phone, "plaza", "secret 1 "+strings.Repeat("word ", 20))
			h.sendToRoom(phone, "plaza", "secret 2 "+strings.Repeat("word ", 20), replace(st.ID))
			h.send(stanza.NewMessage(room("plaza"), phone, stanza.TypeGroupchat, retract(st.ID)))
		},
		"of the network": func(h *harness) {
			id := h.world.Say("plaza", "cleo", "secret 1")
			h.check(h.world.Do(func(as faultnet.As) error { return as.Edit("plaza", "cleo", id, "secret 2") }))
			h.check(h.world.Do(func(as faultnet.As) error { return as.Edit("plaza", "cleo", id, "secret 3") }))
			h.check(h.world.Do(func(as faultnet.As) error { return as.Delete("plaza", "cleo", id) }))
		},
		"of the network, all at once, by a moderator": func(h *harness) {
			h.check(h.world.Do(func(as faultnet.As) error {
				room := transports.RoomID("plaza")
				for _, step := range []func() error{
					func() error { return as.Say(room, "cleo", "secret 1") },
					func() error { return as.Edit(room, "cleo", as.Last(room).ID, "secret 2") },
					func() error { return as.Delete(room, "ben", as.Last(room).ID) },
				} {
					if err := step(); err != nil {
						return err
					}
				}
				return nil
			}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			withGateway(t, func(h *harness) {
				h.world.MaxText = 100
				h.start()
				h.link(phone, "ann")
				h.join(phone, "plaza")
				h.sendToRoom(phone, "plaza", "stays")
				f(h)
				h.discard() // all events have been received
				h.restart()
				h.expectNetwork("plaza", "ann: stays")
				found := false
				for _, st := range h.join(jidOf("ann@example.org/laptop"), "plaza") {
					found = found || strings.Contains(st.Payload, "stays")
					if strings.Contains(st.Payload, "secret") {
						t.Errorf("the history has %s", st)
					}
				}
				laptop := jidOf("ann@example.org/laptop")
				h.ask(laptop, room("plaza"), stanza.TypeSet, mamQuery)
				for _, st := range h.received(laptop) {
					if strings.Contains(st.Payload, "secret") {
						t.Errorf("the archive has %s", st)
					}
				}
				if !found {
					t.Error("the history is empty")
				}
				for _, query := range []string{
					`SELECT count(*) FROM bridge_archive WHERE payload LIKE '%secret%'`, `SELECT count(*) FROM bridge_ids WHERE body LIKE '%secret%'`,
					`SELECT count(*) FROM bridge_outbox WHERE CAST(data AS TEXT) LIKE '%secret%'`,
				} {
					var n int
					h.check(h.store.Reader().QueryRow(query).Scan(&n))
					if n > 0 {
						t.Errorf("%s: %d", query, n)
					}
				}
			})
		})
	}
}
