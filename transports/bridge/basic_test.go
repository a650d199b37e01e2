package bridge_test

import (
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports/faultnet"
)

func TestDirectMessagesBothWays(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.discard()
		h.world.SayDirect("cleo", "ann", "hello *you*")
		h.expect(phone, "cleo: hello *you*")
		h.sendTo(phone, "cleo", "and _you_", stanza.NewElement("urn:xmpp:receipts", "request"))
		h.expectNetwork(faultnet.DirectRoom("ann", "cleo"), "cleo: hello you", "ann: and you")
		got := h.received(phone)
		if len(got) != 1 || got[0].Child("urn:xmpp:receipts", "received") == nil {
			t.Errorf("no receipt: %v", got)
		}
		h.sendTo(phone, "parrot", "polly")
		h.expect(phone, "parrot: polly")
	})
}

func TestRoomBothWays(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.discard()
		h.join(phone, "plaza")
		h.world.Say("plaza", "cleo", "who is here?")
		h.expect(phone, "plaza/Cleo: who is here?")
		h.sendToRoom(phone, "plaza", "me")
		h.expect(phone, "plaza/Ann: me")
		h.expectNetwork("plaza", "cleo: who is here?", "ann: me")
		h.expect(phone)
	})
}

// XEP-0092, XEP-0232: the software is told the same way by both.
func TestSoftware(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		for _, ns := range []string{"jabber:iq:version", "http://jabber.org/protocol/disco#info"} {
			a := h.ask(phone, domain, stanza.TypeGet, stanza.NewElement(ns, "query")).String()
			if !strings.Contains(a, ">Dragoman Echo gateway<") || !strings.Contains(a, ">1.2.3<") {
				t.Errorf("%s: %s", ns, a)
			}
		}
	})
}
