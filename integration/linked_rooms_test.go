package integration_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/integration/client"
	"github.com/dragoman-im/dragoman/integration/peers"
	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// linkedDomain is the domain of Prosody's rooms that are linked to channels.
const linkedDomain = "rooms." + testHost

// underProsodyWithRooms is Prosody, with rooms and an archive of them, with dragoman as a component.
func underProsodyWithRooms(t *testing.T, w fakeNetwork) *deployment {
	t.Helper()
	c := peers.Component{Domain: w.kind() + "." + testHost, Secret: "between the two"}
	p := peers.StartProsody(t, peers.Setup{Host: testHost, Accounts: testAccounts, Components: []peers.Component{c}, Rooms: linkedDomain})
	d := peers.StartGateway(t, &p.Server, gatewaySection(w, fmt.Sprintf("domain = %q\nsecret = %q\n", c.Domain, c.Secret)))
	return &deployment{server: &p.Server, gateway: d, domain: c.Domain}
}

// roomClient is a client in a linked room.
type roomClient struct {
	*testing.T
	conn *client.Conn
	room string
	nick string
}

// enterRoom logs in and enters a room.
func enterRoom(ctx context.Context, t *testing.T, s *peers.Server, a peers.Account, room string) *roomClient {
	t.Helper()
	conn, err := s.Dial(ctx, a, "room")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Drop)
	c := &roomClient{t, conn, room, strings.ToUpper(a.User[:1]) + a.User[1:]}
	c.send("<presence/><presence to='%s/%s'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>", room, c.nick)
	c.await(ctx, "the own presence", func(e *xmltree.Element) bool {
		return e.Name.Local == "presence" && e.Attr("from") == room+"/"+c.nick
	})
	return c
}

func (c *roomClient) send(format string, args ...any) {
	c.Helper()
	if err := c.conn.Send(fmt.Sprintf(format, args...)); err != nil {
		c.Fatal(err)
	}
}

// say sends a message to the room.
func (c *roomClient) say(id, content string) {
	c.Helper()
	c.send("<message to='%s' type='groupchat' id='%s'>%s</message>", c.room, id, content)
}

// await takes stanzas until one fits.
func (c *roomClient) await(ctx context.Context, what string, fits func(*xmltree.Element) bool) *xmltree.Element {
	c.Helper()
	var others []string
	for {
		e, err := c.conn.Next(ctx)
		if err != nil {
			c.Fatalf("%s: %v; came: %s", what, err, strings.Join(others, "\n"))
		}
		if fits(e) {
			return e
		}
		others = append(others, e.String())
	}
}

// receives awaits a message from somebody.
func (c *roomClient) receives(ctx context.Context, nick, text string) *xmltree.Element {
	c.Helper()
	return c.await(ctx, "a message of "+nick, func(e *xmltree.Element) bool {
		return e.Name.Local == "message" && e.Attr("from") == c.room+"/"+nick && bodyOf(e) == text
	})
}

func bodyOf(e *xmltree.Element) string {
	if b := e.Child("", "body"); b != nil {
		return b.Text
	}
	return ""
}

// times is how many lines have a text.
func times(lines []string, text string) (n int) {
	for _, l := range lines {
		if strings.Contains(l, text) {
			n++
		}
	}
	return n
}

// roomStanzaID is the id that the room has given a message.
func (c *roomClient) roomStanzaID(e *xmltree.Element) string {
	c.Helper()
	id := e.Child("urn:xmpp:sid:0", "stanza-id")
	if id == nil || id.Attr("by") != c.room {
		c.Fatalf("no stanza-id: %s", e)
	}
	return id.Attr("id")
}

// TestLinkedRoom links a room to a channel: what is said, corrected, answered and retracted in one of the two is so in the
// other, also what happens while the gateway does not run.
func TestLinkedRoom(t *testing.T) {
	t.Parallel()
	for name, build := range map[string]func(*testing.T, fakeNetwork) *deployment{"prosody": underProsodyWithRooms, "embedded": embedded} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			domain := "conference." + testHost
			if name == "prosody" {
				peers.Need(t, "prosody")
				domain = linkedDomain
			}
			forEachNetwork(t, func(t *testing.T, w fakeNetwork) {
				ctx, cancel := context.WithTimeout(t.Context(), 6*peerTimeout)
				defer cancel()
				testLinkedRoom(ctx, t, build(t, w), w, "garden@"+domain)
			})
		})
	}
}

func testLinkedRoom(ctx context.Context, t *testing.T, h *deployment, w fakeNetwork, room string) {
	t.Helper()
	owner := enterRoom(ctx, t, h.server, testAccounts[0], room)
	owner.send("<iq type='set' id='instant' to='%s'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query></iq>", room)
	owner.await(ctx, "the configuration", func(e *xmltree.Element) bool { return e.Attr("id") == "instant" })
	simon := enterRoom(ctx, t, h.server, testAccounts[1], room)

	sally := h.login(ctx, t, testAccounts[0])
	waitGateway(ctx, t, sally, h.domain, nil)
	h.link(ctx, t, sally, w)
	channel := h.findRoom(ctx, t, sally, w)
	owner.send("<iq type='set' id='admin' to='%s'><query xmlns='http://jabber.org/protocol/muc#admin'><item affiliation='admin' jid='%s'/></query></iq>", room, h.domain)
	owner.await(ctx, "the answer", func(e *xmltree.Element) bool { return e.Attr("id") == "admin" && e.Attr("type") == "result" })
	h.perform(ctx, t, sally, "link-room", map[string]string{"channel": channel, "room": room, "people": "50"})
	_, friend, _ := w.friend()

	// From the channel.
	first := w.send(false, "Hello, garden")
	shown := simon.receives(ctx, friend, "Hello, garden")
	w.edit(first, "Hello, dear garden")
	corrected := simon.receives(ctx, friend, "Hello, dear garden")
	if r := corrected.Child("urn:xmpp:message-correct:0", "replace"); r == nil || r.Attr("id") != shown.Attr("id") {
		t.Errorf("corrects another message than %s: %s", shown.Attr("id"), corrected)
	}

	// From the room.
	simon.say("simon-1", "<body>Hello, channel</body>")
	awaitLines(ctx, t, w, false, func(lines []string) bool { return mentions(lines, "Hello, channel") && mentions(lines, "Simon") })
	simon.say("simon-2", "<body>Hello, dear channel</body><replace xmlns='urn:xmpp:message-correct:0' id='simon-1'/>")
	awaitLines(ctx, t, w, false, func(lines []string) bool {
		return mentions(lines, "Hello, dear channel") && !slices.ContainsFunc(lines, func(l string) bool { return strings.HasSuffix(l, "Hello, channel") })
	})

	// A retraction.
	simon.receives(ctx, "Simon", "Hello, dear channel")
	w.remove(first)
	simon.await(ctx, "the retraction", func(e *xmltree.Element) bool {
		r := e.Child("urn:xmpp:message-retract:1", "retract")
		return r != nil && r.Attr("id") == simon.roomStanzaID(shown)
	})

	if strings.HasSuffix(room, linkedDomain) { // the gateway is not in the process that has the room
		linkedRoomOutage(ctx, h, w, simon)
	}

	// Each of them once.
	w.send(false, "The end")
	var after []string
	simon.await(ctx, "the last message", func(e *xmltree.Element) bool {
		if text := bodyOf(e); text != "" {
			after = append(after, text)
		}
		return bodyOf(e) == "The end"
	})
	if len(after) != 1 {
		t.Errorf("the room has more than once: %q", after)
	}
	if n := times(w.lines(false), "Hello, dear channel"); n != 1 {
		t.Errorf("the channel has it %d times: %q", n, w.lines(false))
	}
	linkedRights(ctx, w, owner, simon)
	h.perform(ctx, t, sally, "unlink-room", nil)
	simon.await(ctx, "the friend leaving", func(e *xmltree.Element) bool {
		return e.Name.Local == "presence" && e.Attr("from") == room+"/"+friend && e.Attr("type") == "unavailable"
	})
}

// linkedRights has the owner of the room set its subject, and remove a message where the room knows XEP-0425.
func linkedRights(ctx context.Context, w fakeNetwork, owner, simon *roomClient) {
	simon.Helper()
	t := simon.T
	if !strings.HasSuffix(simon.room, linkedDomain) {
		simon.say("simon-5", "<body>To be removed</body>")
		shown := simon.receives(ctx, "Simon", "To be removed")
		awaitLines(ctx, t, w, false, func(lines []string) bool { return mentions(lines, "To be removed") })
		owner.send("<iq type='set' id='moderate' to='%s'><moderate xmlns='urn:xmpp:message-moderate:1' id='%s'><retract xmlns='urn:xmpp:message-retract:1'/></moderate></iq>",
			owner.room, simon.roomStanzaID(shown))
		awaitLines(ctx, t, w, false, func(lines []string) bool { return !mentions(lines, "To be removed") })
	}
	owner.say("subject-1", "<subject>Tea at four</subject>")
	for topicOf(w) != "Tea at four" {
		select {
		case <-ctx.Done():
			t.Fatalf("the topic of the channel is %q", topicOf(w))
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// topicOf is the topic of the network's channel.
func topicOf(w fakeNetwork) (topic string) {
	switch n := w.networkInfo.(type) {
	case *discordNetwork:
		c, _ := n.server.Channel(n.general)
		topic = c.Topic
	case *slackNetwork:
		for _, m := range n.general.Transcript() {
			if m.Subtype == "channel_topic" {
				_, topic, _ = strings.Cut(m.Text, "set the channel topic: ")
			}
		}
	}
	return topic
}

// linkedRoomOutage is what happens while the gateway does not run.
func linkedRoomOutage(ctx context.Context, h *deployment, w fakeNetwork, simon *roomClient) {
	simon.Helper()
	t := simon.T
	_, friend, _ := w.friend()
	h.gateway.Kill()
	simon.say("simon-3", "<body>Nobody carries this</body>")
	third := simon.receives(ctx, "Simon", "Nobody carries this")
	w.send(false, "Nor this")
	h.gateway.Start()
	awaitLines(ctx, t, w, false, func(lines []string) bool { return mentions(lines, "Nobody carries this") })
	simon.receives(ctx, friend, "Nor this")
	simon.say("simon-4", fmt.Sprintf("<retract xmlns='urn:xmpp:message-retract:1' id='%s'/>", simon.roomStanzaID(third)))
	awaitLines(ctx, t, w, false, func(lines []string) bool { return !mentions(lines, "Nobody carries this") })
}

// TestRoomLinkedToTwoNetworks has a room of the server linked to a Slack and a Discord channel: what is said, corrected and retracted in one of
// the three is so in the two others, once.
func TestRoomLinkedToTwoNetworks(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 6*peerTimeout)
	defer cancel()
	n := newTwoNetworks(t)
	d := peers.StartDragoman(t, peers.Options{Setup: peers.Setup{Host: testHost, Accounts: testAccounts}, Settings: n.settings()})
	n.test(ctx, t, d, &d.Server, "garden@conference."+testHost)
}

// TestRoomElsewhereLinkedToTwoNetworks is TestRoomLinkedToTwoNetworks with a room of a Prosody, with which the server communicates.
func TestRoomElsewhereLinkedToTwoNetworks(t *testing.T) {
	t.Parallel()
	peers.Need(t, "prosody")
	ctx, cancel := context.WithTimeout(t.Context(), 6*peerTimeout)
	defer cancel()
	n, f := newTwoNetworks(t), peers.NewFederation(t)
	prosody := peers.StartProsody(t, peers.Setup{Host: "prosody.example", Accounts: testAccounts, Rooms: "conference.prosody.example", Federation: f})
	d := peers.StartDragoman(t, peers.Options{
		Setup: peers.Setup{Host: "dragoman.example", Accounts: testAccounts, Federation: f}, Settings: n.settings(),
		Domains: []string{"slack.dragoman.example", "discord.dragoman.example"},
	})
	d.CertFile = f.CAFile // what slixmpp trusts
	n.test(ctx, t, d, &prosody.Server, "garden@conference.prosody.example")
}

// twoNetworks are a Slack and a Discord with a channel each.
type twoNetworks struct{ slack, discord fakeNetwork }

func newTwoNetworks(t *testing.T) twoNetworks {
	t.Helper()
	return twoNetworks{newSlackNetwork(t).asFakeNetwork(), newDiscordNetwork(t).asFakeNetwork()}
}

func (n twoNetworks) settings() string {
	return gatewaySection(n.slack, "") + strings.TrimPrefix(gatewaySection(n.discord, ""), fastRetries)
}

// test links a room, which another server may have, to both channels by the gateways of d.
func (n twoNetworks) test(ctx context.Context, t *testing.T, d *peers.Dragoman, at *peers.Server, room string) {
	t.Helper()
	slack, discord := n.slack, n.discord
	owner := enterRoom(ctx, t, at, testAccounts[0], room)
	owner.send("<iq type='set' id='instant' to='%s'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query></iq>", room)
	owner.await(ctx, "the configuration", func(e *xmltree.Element) bool { return e.Attr("id") == "instant" })
	simon := enterRoom(ctx, t, at, testAccounts[1], room)
	for _, w := range []fakeNetwork{slack, discord} {
		h := &deployment{server: &d.Server, gateway: d, domain: w.kind() + "." + d.Host, fillsRosters: true}
		sally := h.login(ctx, t, testAccounts[0])
		waitGateway(ctx, t, sally, h.domain, nil)
		h.link(ctx, t, sally, w)
		channel := h.findRoom(ctx, t, sally, w)
		owner.send("<iq type='set' id='%s' to='%s'><query xmlns='http://jabber.org/protocol/muc#admin'><item affiliation='admin' jid='%s'/></query></iq>", w.kind(), room, h.domain)
		owner.await(ctx, "the answer", func(e *xmltree.Element) bool { return e.Attr("id") == w.kind() && e.Attr("type") == "result" })
		h.perform(ctx, t, sally, "link-room", map[string]string{"channel": channel, "room": room, "people": "50"})
	}
	others := map[fakeNetwork]fakeNetwork{slack: discord, discord: slack}
	for _, w := range []fakeNetwork{slack, discord} {
		_, friend, _ := w.friend()
		text := "Hello from " + w.kind()
		m := w.send(false, text)
		shown := simon.awaitBody(ctx, text)
		if !strings.Contains(shown.Attr("from"), friend) {
			t.Errorf("from %s, want %s", shown.Attr("from"), friend)
		}
		awaitLines(ctx, t, others[w], false, func(lines []string) bool { return mentions(lines, text) && mentions(lines, friend) })
		w.edit(m, text+", dear all")
		simon.awaitBody(ctx, text+", dear all")
		awaitLines(ctx, t, others[w], false, lastIs(text+", dear all"))
		w.remove(m)
		simon.await(ctx, "the retraction", func(e *xmltree.Element) bool { return e.Child("urn:xmpp:message-retract:1", "retract") != nil })
		awaitLines(ctx, t, others[w], false, func(lines []string) bool { return !mentions(lines, text) })
	}
	simon.say("simon-1", "<body>Hello, both</body>")
	for _, w := range []fakeNetwork{slack, discord} {
		awaitLines(ctx, t, w, false, func(lines []string) bool { return mentions(lines, "Hello, both") })
	}
	simon.awaitBody(ctx, "Hello, both")
	slack.send(false, "The end")
	awaitLines(ctx, t, discord, false, lastIs("The end"))
	var texts []string
	simon.await(ctx, "the last message", func(e *xmltree.Element) bool {
		if text := bodyOf(e); text != "" {
			texts = append(texts, text)
		}
		return bodyOf(e) == "The end"
	})
	if len(texts) != 1 {
		t.Errorf("the room has also %q", texts)
	}
	for _, w := range []fakeNetwork{slack, discord} {
		if n := times(w.lines(false), "Hello, both"); n != 1 {
			t.Errorf("%s has it %d times: %q", w.kind(), n, w.lines(false))
		}
	}
}

// awaitBody awaits a message with a text.
func (c *roomClient) awaitBody(ctx context.Context, text string) *xmltree.Element {
	c.Helper()
	return c.await(ctx, text, func(e *xmltree.Element) bool { return e.Name.Local == "message" && bodyOf(e) == text })
}
