package bridge_test

import (
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
)

// A private channel is one room for all who are in it: a message has one id, and stands in the archive once.
func TestPrivateChannelIsShared(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.link(desk, "ben")
		for _, who := range []jid.JID{phone, desk} {
			h.join(who, "den")
		}
		h.discard()
		ids := func() map[jid.JID]string {
			seen := map[jid.JID]string{}
			for _, who := range []jid.JID{phone, desk} {
				for _, st := range h.received(who) {
					if st.Body() == "" {
						continue
					}
					if seen[who] != "" {
						t.Errorf("%s got %s too", who, st)
					}
					seen[who] = stanzaID(st)
				}
			}
			return seen
		}
		h.world.Say("den", "cleo", "to all")
		if got := ids(); got[phone] == "" || got[phone] != got[desk] {
			t.Errorf("from the network: %v", got)
		}
		h.sendToRoom(phone, "den", "from ann")
		if got := ids(); got[phone] == "" || got[phone] != got[desk] {
			t.Errorf("from a local user: %v", got)
		}
		h.expectNetwork("den", "cleo: to all", "ann: from ann")
		var rooms, archived int
		h.check(h.db().QueryRow(`SELECT count(*) FROM bridge_rooms WHERE room = 'den'`).Scan(&rooms))
		h.check(h.db().QueryRow(`SELECT count(*) FROM bridge_archive`).Scan(&archived))
		if rooms != 1 || archived != 2 {
			t.Errorf("%d rooms, %d archived messages", rooms, archived)
		}
	})
}
