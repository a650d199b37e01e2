package bridge_test

import (
	"strings"
	"testing"
	"time"

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

// Nobody learns which account on the network belongs to an account: by its address only those are mentioned whose address the room
// shows, and the sender.
func TestMentionsShowNoAccounts(t *testing.T) {
	withGateway(t, func(h *harness) {
		n := &relaying{Network: h.net}
		h.net = n
		h.start()
		h.link(phone, "ann")
		h.link(desk, "ben")
		h.join(desk, "plaza")
		h.join(phone, "plaza")
		h.send(stanza.NewPresence(room("plaza"), desk, stanza.TypeUnavailable)) // the login sees the room, and its owner has left it
		references := func(address string) map[string]*stanza.Element {
			return map[string]*stanza.Element{
				"XEP-0372": stanza.NewElement("urn:xmpp:reference:0", "reference").With("type", "mention").With("begin", "0").With("end", "2").With("uri", "xmpp:"+address),
				"XEP-0513": stanza.NewElement("urn:xmpp:mentions:0", "mention").With("begin", "0").With("end", "2").With("jid", address),
			}
		}
		check := func(where string, send func(more ...*stanza.Element) *stanza.Stanza, address, want string) {
			t.Helper()
			for name, x := range references(address) {
				send(x)
				if got := strings.Join(n.mentioned(), " "); got != want {
					t.Errorf("%s, %s: %s mentions %q, want %q", where, name, address, got, want)
				}
			}
		}
		inRoom := func(more ...*stanza.Element) *stanza.Stanza { return h.sendToRoom(phone, "plaza", "hi there", more...) }
		check("a room", inRoom, desk.Bare().String(), "")
		check("a room", inRoom, desk.String(), "")
		check("a room", inRoom, ann.String(), "ann")
		check("a direct chat", func(more ...*stanza.Element) *stanza.Stanza { return h.sendTo(phone, "cleo", "hi there", more...) }, desk.Bare().String(), "")
		h.join(desk, "plaza")
		check("with both in the room", inRoom, desk.Bare().String(), "ben")
	})
}

// relayFromGarden has a network that notes mentions, with the plaza linked to the garden and its owner in it.
func (h *harness) relayFromGarden() *relaying {
	h.Helper()
	n := &relaying{Network: h.net}
	h.net = n
	h.restart()
	h.linkRoom("plaza", garden)
	h.join(phone, "plaza")
	return n
}

// People of a linked room see no accounts of the channel: whatever address they name, nobody is mentioned by it, the owner of the link neither.
func TestLinkedMentionsShowNoAccounts(t *testing.T) {
	withRooms(t, func(h *harness, s *roomService) {
		n := h.relayFromGarden()
		reference := func(address string) *stanza.Element {
			return stanza.NewElement("urn:xmpp:reference:0", "reference").With("type", "mention").With("begin", "0").With("end", "4").With("uri", "xmpp:"+address)
		}
		for address, want := range map[string]string{ann.String(): "", room("plaza").String() + "/Cleo": "cleo"} {
			s.say(garden, eve, text("Cleo is here"), reference(address))
			time.Sleep(time.Second)
			if got := strings.Join(n.mentioned(), " "); got != want {
				t.Errorf("%s mentions %q, want %q", address, got, want)
			}
		}
	})
}

// Who is in a room may ask to alert everybody in it; not so in a direct chat, nor from a linked room, whose people have no rights there.
func TestMentionOfAllIsForRooms(t *testing.T) {
	withRooms(t, func(h *harness, s *roomService) {
		n := h.relayFromGarden()
		all := func() *stanza.Element {
			const ns = "urn:xmpp:mentions:0"
			return stanza.NewElement(ns, "mention").With("mentions", ns+"#channel").With("begin", "0").With("end", "4")
		}
		for _, c := range []struct {
			where, want string
			send        func()
		}{
			{"a room", "all", func() { h.sendToRoom(phone, "plaza", "@all: tea", all()) }},
			{"a room, without asking", "", func() { h.sendToRoom(phone, "plaza", "@all: tea") }},
			{"a direct chat", "", func() { h.sendTo(phone, "cleo", "@all: tea", all()) }},
			{"a linked room", "", func() { s.say(garden, eve, text("@all: tea"), all()) }},
		} {
			c.send()
			time.Sleep(time.Second)
			if got := strings.Join(n.mentioned(), " "); got != c.want {
				t.Errorf("from %s %q is mentioned, want %q", c.where, got, c.want)
			}
		}
	})
}
