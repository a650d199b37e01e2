package bridge_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/faultnet"
)

const discoInfo, discoItems = "http://jabber.org/protocol/disco#info", "http://jabber.org/protocol/disco#items"

// The gateway answers as a contact: an identity of category conference would make it a room for clients such as Dino. It lists rooms
// nevertheless.
func TestGatewayIsNoRoom(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		info := h.ask(phone, domain, stanza.TypeGet, stanza.NewElement(discoInfo, "query")).String()
		if strings.Contains(info, "conference") || !strings.Contains(info, "category='gateway'") {
			t.Error(info)
		}
		items := h.ask(phone, domain, stanza.TypeGet, stanza.NewElement(discoItems, "query")).String()
		if !strings.Contains(items, "plaza@echo.example.org") {
			t.Error(items)
		}
		room := h.ask(phone, room("plaza"), stanza.TypeGet, stanza.NewElement(discoInfo, "query")).String()
		if !strings.Contains(room, "<identity category='conference' type='text' name='") || !strings.Contains(room, "muc#roominfo_subjectmod' type='boolean'><value>1<") {
			t.Error(room)
		}
	})
}

// A client that asks for its nickname in a room before it enters is answered with the name that it will get there (XEP-0045 §7.12).
func TestNickBeforeEntering(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		ask := func() string {
			query := stanza.NewElement(discoInfo, "query").With("node", "x-roomuser-item")
			return h.ask(phone, room("plaza"), stanza.TypeGet, query).String()
		}
		before := ask()
		nick := ""
		for _, st := range h.join(phone, "plaza") {
			if st.Kind == stanza.Presence && strings.Contains(st.String(), "code='110'") {
				nick = st.From.Resource()
			}
		}
		if want := "<identity category='conference' type='text' name='" + nick + "'/>"; !strings.Contains(before, want) || !strings.Contains(ask(), want) || nick == "" {
			t.Errorf("entered as %q; before that it was said: %s", nick, before)
		}
	})
}

// Somebody whom the network does not show to a user is nobody, whatever is asked.
func TestNobodyAnswers(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		for _, x := range []string{discoInfo + " query", discoItems + " query", "urn:xmpp:ping ping", "jabber:iq:version query", "vcard-temp vCard"} {
			space, local, _ := strings.Cut(x, " ")
			a := h.ask(phone, contact("stranger"), stanza.TypeGet, stanza.NewElement(space, local))
			if a.Type != stanza.TypeError || a.Err().Condition != "item-not-found" {
				t.Errorf("%s: %s", x, a)
			}
			if a := h.ask(phone, contact("cleo"), stanza.TypeGet, stanza.NewElement(space, local)); a.Type != stanza.TypeResult {
				t.Errorf("%s: %s", x, a)
			}
		}
	})
}

// A subscription to nobody is refused, and the roster does not keep the address where the gateway may change it.
func TestRefusedContactLeavesTheRoster(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.rosterGrant = true
		h.start()
		h.send(privileges("roster", "both"))
		h.link(phone, "ann")
		h.discard()
		h.send(stanza.NewPresence(contact("stranger"), ann, stanza.TypeSubscribe))
		got := h.received(ann)
		if len(got) != 2 || got[0].Type != stanza.TypeUnsubscribed || !strings.Contains(got[1].String(), "<item jid='stranger@echo.example.org' subscription='remove'/>") {
			t.Errorf("%v", got)
		}
		h.send(stanza.NewPresence(contact("stranger"), phone, stanza.TypeProbe)) // of an item that is there: it is not removed
		if got := h.received(ann); len(got) != 1 || got[0].Type != stanza.TypeUnsubscribed {
			t.Errorf("%v", got)
		}
		unlinked := jidOf("dan@example.org")
		h.send(stanza.NewPresence(contact("cleo"), unlinked, stanza.TypeSubscribe))
		if got := h.received(unlinked); len(got) != 2 || !strings.Contains(got[1].String(), "subscription='remove'") {
			t.Errorf("%v", got)
		}
	})
}

// A room has as many occupants as the network says, also before anybody of XMPP is in it.
func TestOccupantsBeforeEntering(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.world.AddRoom(transports.RoomInfo{ID: "hall", Kind: transports.Public, Name: "Hall"}, "ann", "ben")
		h.start()
		h.link(phone, "ann")
		info := h.ask(phone, room("hall"), stanza.TypeGet, stanza.NewElement(discoInfo, "query")).String()
		if !strings.Contains(info, "<field var='muc#roominfo_occupants'><value>2</value></field>") {
			t.Error(info)
		}
	})
}

// A public room that becomes private shows nothing any longer to those who are not in it, whether the network reports it at once or
// the room is only missing from its list.
func TestPublicRoomBecomesPrivate(t *testing.T) {
	for name, reported := range map[string]bool{"reported at once": true, "no longer listed": false} {
		t.Run(name, func(t *testing.T) { becomesPrivate(t, reported) })
	}
}

func becomesPrivate(t *testing.T, reported bool) {
	withGateway(t, func(h *harness) {
		h.world.AddRoom(transports.RoomInfo{ID: "hall", Kind: transports.Public, Name: "Hall", Topic: "Secrets"}, "ann")
		h.start()
		h.link(phone, "ann")
		h.link(desk, "ben")
		sees := func(who string) bool {
			info := h.ask(jidOf(who), room("hall"), stanza.TypeGet, stanza.NewElement(discoInfo, "query")).String()
			items := h.ask(jidOf(who), domain, stanza.TypeGet, stanza.NewElement(discoItems, "query")).String()
			if strings.Contains(info, "Hall") != strings.Contains(items, "Hall") {
				t.Errorf("%s: %s, %s", who, info, items)
			}
			return strings.Contains(info, "Secrets")
		}
		if !sees(phone.String()) || !sees(desk.String()) {
			t.Fatal("a public room is not shown")
		}
		h.check(h.world.Do(func(as faultnet.As) error {
			return as.Describe("hall", reported, func(info *transports.RoomInfo) { info.Kind = transports.Private })
		}))
		if !reported {
			h.restart()
		}
		time.Sleep(time.Minute)
		if !sees(phone.String()) {
			t.Error("a member does not see the room")
		}
		if sees(desk.String()) {
			t.Error("somebody who is not in the room sees it")
		}
	})
}

// The public channels that somebody sees are found by words, and no others (XEP-0433).
func TestSearchForRooms(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.world.AddRoom(transports.RoomInfo{ID: "hall", Kind: transports.Public, Name: "Hall of mirrors", Topic: "Reflections"}, "ann", "ben")
		h.world.AddRoom(transports.RoomInfo{ID: "den", Kind: transports.Private, Name: "Den of mirrors"}, "ann")
		h.start()
		h.link(phone, "ann")
		const ns = "urn:xmpp:channel-search:0:search"
		find := func(who string, field, value string) string {
			f := form.New(form.Submit, "urn:xmpp:channel-search:0:search-params", "").Text(field, "", value)
			return h.ask(jidOf(who), domain, stanza.TypeGet, stanza.NewElement(ns, "search").Add(f.Element())).String()
		}
		for _, c := range []struct{ field, value string }{{"q", "mirrors"}, {"q", "reflections"}, {"all", "1"}} {
			got := find(phone.String(), c.field, c.value)
			if !strings.Contains(got, "<item address='hall@echo.example.org'>") || strings.Contains(got, "den@") || !strings.Contains(got, "<nusers>2</nusers>") {
				t.Errorf("%s %s: %s", c.field, c.value, got)
			}
			if got := find("dan@example.org/x", c.field, c.value); strings.Contains(got, "<item") || !strings.Contains(got, "type='result'") {
				t.Errorf("without a login: %s", got)
			}
		}
		if info := h.ask(phone, domain, stanza.TypeGet, stanza.NewElement(discoInfo, "query")).String(); !strings.Contains(info, ns) {
			t.Error(info)
		}
	})
}

// What the network shows about the members of a room beside what they may do is shown as hats (XEP-0317), bounded.
func TestBadgesAreHats(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.world.AddRoom(transports.RoomInfo{ID: "hall", Kind: transports.Public, Name: "Hall"}, "ann", "ben", "cleo")
		h.world.SetBadges("hall", "ben", transports.Badge{ID: "42/x", Title: "Crew <3"}, transports.Badge{ID: "43", Title: " "})
		var many []transports.Badge
		for i := range 30 {
			many = append(many, transports.Badge{ID: strconv.Itoa(i), Title: strings.Repeat("long ", 1000)})
		}
		h.world.SetBadges("hall", "cleo", many...)
		h.world.SetBadges("hall", "ann", transports.Badge{ID: "1", Title: "Host"})
		h.start()
		h.link(phone, "ann")
		var all strings.Builder
		for _, st := range h.join(phone, "hall") {
			all.WriteString(st.String() + "\n")
		}
		got := all.String()
		for _, want := range []string{"<hat title='Crew &lt;3' uri='urn:dragoman:role:42%2Fx'/></hats>", "<hat title='Host' uri='urn:dragoman:role:1'/>"} {
			if !strings.Contains(got, want) {
				t.Errorf("%s is missing: %s", want, got)
			}
		}
		if n := strings.Count(got, "title='long "); n != 10 || len(got) > 20_000 {
			t.Errorf("%d hats of one person, %d bytes", n, len(got))
		}
	})
}
