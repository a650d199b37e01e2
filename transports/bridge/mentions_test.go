package bridge_test

import (
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/faultnet"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// Whoever is mentioned on the network is referred to, oneself too; a reference to somebody of the network is a mention there.
func TestMentionsBothWays(t *testing.T) {
	withGateway(t, func(h *harness) {
		h.start()
		h.link(phone, "ann")
		h.join(phone, "plaza")
		h.discard()
		h.check(h.world.Do(func(as faultnet.As) error {
			return as.Emit("plaza", transports.Event{Key: "m1", Actor: "ben", Body: transports.Message{ID: "m1", Text: richtext.Text{
				{Text: "hi "}, {Kind: richtext.Mention, ID: "ann"}, {Text: " and "}, {Kind: richtext.Mention, ID: "cleo", Text: "Cleo"}, {Text: " "}, {Kind: richtext.Bold, Children: richtext.FromPlain("now")},
			}}})
		}))
		got := h.received(phone)
		if len(got) != 1 {
			t.Fatal(got)
		}
		for _, want := range []string{
			"<body>hi @Ann and @Cleo *now*</body>", "<reference xmlns='urn:xmpp:reference:0' type='mention' begin='3' end='7' uri='xmpp:plaza@" + domain.String() + "/Ann'/>", "occupantid='" + convert.Addresses{Domain: domain}.Occupant("ann", "") + "'",
			"begin='12' end='17' uri='xmpp:plaza@" + domain.String() + "/Cleo'", "<markup xmlns='urn:xmpp:markup:0'><span start='18' end='23'><strong/></span></markup>",
		} {
			if !strings.Contains(got[0].Payload, want) {
				t.Errorf("%s is not in %s", want, got[0].Payload)
			}
		}
		reference := func(uri string) *stanza.Element {
			return stanza.NewElement("urn:xmpp:reference:0", "reference").With("type", "mention").With("begin", "3").With("end", "7").With("uri", uri)
		}
		n := &relaying{Network: h.net}
		h.net = n
		h.restart()
		h.join(phone, "plaza")
		mentioned := func(more ...*stanza.Element) string {
			h.sendToRoom(phone, "plaza", "hi Cleo", more...)
			return strings.Join(n.mentioned(), " ")
		}
		for name, more := range map[string][]*stanza.Element{
			"an occupant":    {reference("xmpp:plaza@" + domain.String() + "/Cleo")},
			"a contact":      {reference("xmpp:cleo@" + domain.String())},
			"an occupant id": {stanza.NewElement("urn:xmpp:mentions:0", "mention").With("begin", "3").With("end", "7").With("occupantid", convert.Addresses{Domain: domain}.Occupant("cleo", ""))},
		} {
			if got := mentioned(more...); got != "cleo" {
				t.Errorf("by the reference to %s %q is mentioned", name, got)
			}
		}
		if got := mentioned(reference("xmpp:stranger@" + domain.String())); got != "" {
			t.Errorf("%q is mentioned", got)
		}
		if h.sendToRoom(phone, "plaza", "Cleo: hi"); strings.Join(n.mentioned(), " ") != "cleo" {
			t.Error("who is addressed by nickname is not mentioned")
		}
	})
}
