package bridge_test

import (
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
)

const (
	pubsubNS = "http://jabber.org/protocol/pubsub"
	spacesNS = "urn:xmpp:spaces:0"
)

// A workspace is a space with the rooms that somebody sees of it (XEP-0503); to others it does not exist, and here it cannot be changed.
func TestSpaces(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.world.AddRoom(transports.RoomInfo{ID: "hall", Kind: transports.Public, Name: "Hall", Space: "acme inc", Group: "Acme"}, "ann")
		h.world.AddRoom(transports.RoomInfo{ID: "den", Kind: transports.Private, Name: "Den", Space: "acme inc", Group: "Acme"}, "ann")
		h.start()
		h.link(phone, "ann")
		h.link(desk, "ben")
		dan := jidOf("dan@example.org/x")
		disco := func(space, node string, who string) string {
			return h.ask(jidOf(who), domain, stanza.TypeGet, stanza.NewElement(space, "query").With("node", node)).String()
		}
		if got := disco(discoItems, "", phone.String()); !strings.Contains(got, "node='acme inc' name='Acme'") || !strings.Contains(got, "hall@echo.example.org") {
			t.Error(got)
		}
		if got := disco(discoInfo, "", phone.String()); !strings.Contains(got, spacesNS) || !strings.Contains(got, pubsubNS+"#retrieve-items") {
			t.Error(got)
		}
		if got := disco(discoInfo, "acme inc", phone.String()); !strings.Contains(got, "category='pubsub' type='leaf' name='Acme'") || !strings.Contains(got, "<value>"+spacesNS+"</value>") {
			t.Error(got)
		}
		if got := disco(discoItems, "acme inc", desk.String()); !strings.Contains(got, "name='hall@echo.example.org'") || strings.Contains(got, "den@") {
			t.Error(got)
		}
		pubsub := func(who, typ string, action *stanza.Element) string {
			return h.ask(jidOf(who), domain, typ, stanza.NewElement(action.Space, "pubsub").Add(action)).String()
		}
		items := func() *stanza.Element { return stanza.NewElement(pubsubNS, "items").With("node", "acme inc") }
		const hall = "<item id='hall@echo.example.org'><conference xmlns='urn:xmpp:bookmarks:1' name='Hall'/></item>"
		if got := pubsub(phone.String(), stanza.TypeGet, items()); !strings.Contains(got, "<items node='acme inc'><item id='den@echo.example.org'>") || !strings.Contains(got, hall) {
			t.Error(got)
		}
		if got := pubsub(desk.String(), stanza.TypeGet, items()); !strings.Contains(got, hall) || strings.Contains(got, "den@") {
			t.Error(got)
		}
		one := items().Add(stanza.NewElement(pubsubNS, "item").With("id", "hall@echo.example.org"))
		if got := pubsub(phone.String(), stanza.TypeGet, one); !strings.Contains(got, hall) || strings.Contains(got, "den@") {
			t.Error(got)
		}
		if got := pubsub(desk.String(), stanza.TypeGet, stanza.NewElement(pubsubNS, "affiliations")); !strings.Contains(got, "<affiliation node='acme inc' affiliation='member'/>") {
			t.Error(got)
		}
		for _, got := range []string{disco(discoInfo, "acme inc", dan.String()), disco(discoItems, "acme inc", dan.String()), disco(discoInfo, "none", phone.String()), pubsub(dan.String(), stanza.TypeGet, items())} {
			if !strings.Contains(got, "<item-not-found") || strings.Contains(got, "Acme") {
				t.Error(got)
			}
		}
		for condition, got := range map[string]string{
			"feature-not-implemented": pubsub(phone.String(), stanza.TypeSet, stanza.NewElement(pubsubNS, "subscribe").With("node", "acme inc").With("jid", phone.Bare().String())),
			"not-allowed":             pubsub(phone.String(), stanza.TypeSet, stanza.NewElement(pubsubNS+"#owner", "delete").With("node", "acme inc")),
		} {
			if !strings.Contains(got, "<"+condition) {
				t.Errorf("%s: %s", condition, got)
			}
		}
		room := h.ask(phone, room("hall"), stanza.TypeGet, stanza.NewElement(discoInfo, "query")).String()
		const uri = "<value>xmpp:echo.example.org?;node=acme%20inc</value>"
		if strings.Count(room, uri) != 2 || !strings.Contains(room, "<feature var='"+spacesNS+"'/>") || !strings.Contains(room, "muc#roomconfig_pubsub") {
			t.Error(room)
		}
	})
}
