package bridge_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/search"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/faultnet"
)

// secretInDen has ben write to the private room after ann may not read it any longer, and checks that she gets
// nothing of it.
func (h *harness) secretInDen() {
	h.Helper()
	h.discard()
	h.world.Say("den", "ben", "not for ann")
	time.Sleep(time.Minute)
	for _, st := range append(h.received(phone), h.received(phone.Bare())...) {
		if strings.Contains(st.String(), "not for ann") {
			h.Errorf("she is shown %s", st)
		}
	}
	for _, n := range h.notifications() {
		if slices.Contains(n.accounts, ann) {
			h.Errorf("she is notified of %s", n.text)
		}
	}
	if got := h.messages(desk); !strings.Contains(strings.Join(got, " "), "not for ann") {
		h.Errorf("ben, who is in the room, is shown %v", got)
	}
	if a := h.ask(phone, room("den"), stanza.TypeSet, mamQuery); a.Type != stanza.TypeError {
		h.Errorf("she reads the archive: %s", a)
	}
	if got := h.finds(phone, "ann"); len(got) > 0 {
		h.Errorf("she finds %q", got)
	}
	if a := h.ask(phone, room("den"), stanza.TypeGet, infoQuery); a.Type != stanza.TypeError {
		h.Errorf("she reads about the room: %s", a)
	}
	h.discard()
	to, _ := room("den").WithResource("me")
	h.send(stanza.NewPresence(to, phone, "", stanza.NewElement("http://jabber.org/protocol/muc", "x")))
	for _, st := range h.received(phone) {
		if st.Type != stanza.TypeError {
			h.Errorf("she enters: %s", st)
		}
	}
}

// A private room is one for all logins that see it, so that other logins bring events to somebody whose own client
// would have got none: it has to be noticed that they were removed from the room while the network was away.
func TestRemovedFromPrivateRoomUnseen(t *testing.T) {
	for name, away := range map[string]func(h *harness, remove func()){
		"outage": func(h *harness, remove func()) {
			h.world.Outage(true)
			time.Sleep(time.Second)
			remove()
			time.Sleep(time.Second)
			h.world.Outage(false)
		},
		"restart": func(h *harness, remove func()) {
			h.stop()
			remove()
			h.start()
			h.join(desk, "den")
		},
	} {
		t.Run(name, func(t *testing.T) {
			withGateway(t, func(h *harness) {
				h.start()
				h.link(phone, "ann")
				h.link(desk, "ben")
				for _, who := range []jid.JID{phone, desk} {
					h.join(who, "den")
				}
				away(h, func() { h.check(h.world.Do(func(as faultnet.As) error { return as.Enter("den", "ann", false) })) })
				time.Sleep(time.Minute)
				h.secretInDen()
			})
		})
	}
}

// The same where the directory of the network is all that says so.
func TestRemovedFromPrivateRoomWithoutHistory(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.net = &wide{Network: h.net, caps: func(c *transports.Caps) { c.CatchesUp = true }}
		h.start()
		h.link(phone, "ann")
		h.link(desk, "ben")
		h.stop()
		h.check(h.world.Do(func(as faultnet.As) error { return as.Enter("den", "ann", false) }))
		h.start()
		h.join(desk, "den")
		time.Sleep(time.Minute)
		h.secretInDen()
	})
}

// Whoever's account on the network was closed reads nothing more in private rooms by the logins of others.
func TestClosedAccountInPrivateRoom(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.link(desk, "ben")
		for _, who := range []jid.JID{phone, desk} {
			h.join(who, "den")
			h.join(who, "plaza")
		}
		h.world.Revoke("ann")
		time.Sleep(time.Minute)
		h.secretInDen()
		h.discard()
		h.world.Say("plaza", "ben", "for everybody")
		time.Sleep(time.Minute)
		if got := h.messages(phone); !strings.Contains(strings.Join(got, " "), "for everybody") {
			h.Errorf("the public room: %v", got)
		}
	})
}

// reads collects what somebody is answered who tries to see a private room: by entering, from its archive, about it.
func (h *harness) reads(who jid.JID) (shown []string) {
	h.Helper()
	h.discard()
	to, _ := room("den").WithResource("me")
	h.send(stanza.NewPresence(to, who, "", stanza.NewElement("http://jabber.org/protocol/muc", "x")))
	for _, x := range []*stanza.Element{mamQuery, infoQuery, stanza.NewElement("vcard-temp", "vCard")} {
		typ := stanza.TypeGet
		if x == mamQuery {
			typ = stanza.TypeSet
		}
		h.send(stanza.NewIQ(room("den"), who, typ, x))
	}
	time.Sleep(time.Second)
	for _, st := range h.received(who) {
		if st.Type != stanza.TypeError {
			shown = append(shown, st.String())
		}
	}
	return append(shown, h.finds(who, "secret")...)
}

// nothing is the archive of an account for which nothing was archived.
type nothing struct{ archive.Store }

func (nothing) Query(context.Context, jid.JID, archive.Filter, archive.Page) (archive.Result, error) {
	return archive.Result{Complete: true}, nil
}

// finds searches for a word in all rooms that somebody sees.
func (h *harness) finds(who jid.JID, word string) (found []string) {
	h.Helper()
	words, err := search.Parse(word)
	h.check(err)
	s := archive.NewSearcher(nothing{})
	s.Add(domain, h.g)
	page, err := s.Find(h.Context(), archive.Question{Account: who.Bare(), Words: words})
	h.check(err)
	for _, m := range page.List {
		found = append(found, m.Name+" "+m.Author+": "+m.Excerpt)
	}
	return found
}

// Accounts find what was written in the rooms that they are in, and nothing of others.
func TestSearchOfRooms(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.link(desk, "ben")
		h.join(phone, "plaza")
		h.join(desk, "plaza")
		h.join(desk, "den")
		h.check(h.world.Do(func(as faultnet.As) error { return as.Enter("den", "ann", false) }))
		h.world.Say("plaza", "cleo", "a secret for everybody")
		h.world.Say("den", "cleo", "a secret of the den")
		time.Sleep(time.Minute)
		for who, want := range map[jid.JID]int{phone: 1, desk: 2, boss: 0} {
			if got := h.finds(who, "secret"); len(got) != want || want > 0 && !strings.Contains(strings.Join(got, ""), "for everybody") {
				t.Errorf("%s finds %q", who, got)
			}
		}
		list, err := h.g.Readable(h.Context(), desk.Bare(), room("den"), 10)
		if err != nil || len(list) != 1 || list[0].JID != room("den") {
			t.Errorf("one room: %v, %v", list, err)
		}
		if list, err = h.g.Readable(h.Context(), desk.Bare(), jid.JID{}, 1); err != nil || len(list) != 1 {
			t.Errorf("at most one room: %v, %v", list, err)
		}
	})
}

// After a restart nobody sees anything of a private room before the network has said that they are still in it: neither while
// it cannot be reached nor in the moment after.
func TestPrivateRoomsAreConfirmed(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.link(desk, "ben")
		for _, who := range []jid.JID{phone, desk} {
			h.join(who, "den")
		}
		h.world.Say("den", "cleo", "a secret")
		h.stop()
		h.check(h.world.Do(func(as faultnet.As) error { return as.Enter("den", "ann", false) }))
		never := make(chan struct{})
		h.world.HoldHistory(never)
		h.world.Outage(true)
		h.start()
		for _, who := range []jid.JID{phone, desk} {
			if got := h.reads(who); len(got) > 0 {
				t.Errorf("%s is shown, while the network is away: %q", who, got)
			}
		}
		h.world.Outage(false)
		if got := h.reads(phone); len(got) > 0 {
			t.Errorf("ann is shown, who was removed: %q", got)
		}
		time.Sleep(time.Minute) // until the login is connected again
		h.join(desk, "den")
		if got := h.reads(desk); len(got) == 0 {
			t.Error("ben, who is in the room, is shown nothing")
		}
		close(never)
		time.Sleep(time.Minute)
		if got := h.reads(phone); len(got) > 0 {
			t.Errorf("ann is shown later: %q", got)
		}
	})
}
