package integration_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/integration/peers"
	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// remoteGateway is a gateway at one server that users of the others use.
type remoteGateway struct {
	network fakeNetwork
	fields  []string // of the form for linking
	at      string   // the server: inside dragoman, or a component of the others
}

func (g remoteGateway) host() string { return g.at + ".example" }

func (g remoteGateway) domain() string { return g.network.kind() + "." + g.host() }

// component is the gateway's entry in the configuration of another server than ours.
func (g remoteGateway) component() peers.Component {
	return peers.Component{Domain: g.domain(), Secret: "between the two"}
}

// remoteGateways are two gateways at our server, and one at each of the others.
func remoteGateways(t *testing.T) []remoteGateway {
	t.Helper()
	slackFields, discordFields := []string{"app", "bot", "user"}, []string{"token"}
	return []remoteGateway{
		{newSlackNetwork(t).asFakeNetwork(), slackFields, "dragoman"},
		{newDiscordNetwork(t).asFakeNetwork(), discordFields, "dragoman"},
		{newSlackNetwork(t).asFakeNetwork(), slackFields, "prosody"},
		{newDiscordNetwork(t).asFakeNetwork(), discordFields, "ejabberd"},
	}
}

// federatedDragoman starts our server with those gateways that are in it.
func federatedDragoman(t *testing.T, setup peers.Setup, gateways ...remoteGateway) *federated {
	t.Helper()
	o := peers.Options{Setup: setup, LocalWeb: true}
	for _, g := range gateways {
		section := gatewaySection(g.network, "")
		o.Settings += strings.TrimPrefix(section, fastRetries)
		o.Domains = append(o.Domains, g.domain())
	}
	if len(gateways) > 0 {
		o.Settings += fastRetries + "users = [\"prosody.example\", \"ejabberd.example\"]\n"
	}
	return &federated{Server: &peers.StartDragoman(t, o).Server, name: "dragoman"}
}

// start attaches the gateway to a server of another kind.
func (g remoteGateway) start(t *testing.T, s *federated) {
	t.Helper()
	c := g.component()
	peers.StartGateway(t, s.Server, "users = [\"dragoman.example\", \"prosody.example\", \"ejabberd.example\"]\n"+
		gatewaySection(g.network, fmt.Sprintf("domain = %q\nsecret = %q\n", c.Domain, c.Secret)))
}

// use links a login, and writes to the friend and the channel of the network.
func (g remoteGateway) use(u *remoteUser) {
	ctx, cancel := context.WithTimeout(u.Context(), federationTimeout)
	defer cancel()
	l := &linker{T: u.T, ctx: ctx, conn: u.conn, domain: g.domain(), fields: g.fields}
	local, _, _ := g.network.friend()
	friend := local + "@" + g.domain()
	subscribed := false // the request of the friend may come before the answer
	u.send("<iq type='set' id='link' to='%s'><query xmlns='%s'>%s</query></iq>", g.domain(), spaceRegister, l.form(g.network.tokens()))
	linked := u.await("the answer to the registration", func(e *xmltree.Element) bool {
		subscribed = subscribed || e.Name.Local == "presence" && e.Attr("type") == "subscribe" && strings.HasPrefix(e.Attr("from"), friend)
		return e.Name.Local == "iq" && e.Attr("id") == "link"
	})
	if linked.Attr("type") != "result" {
		u.Fatalf("%s: %s", g.domain(), linked)
	}
	who := strings.NewReplacer("@", " at ", ".example", "").Replace(u.jid) // networks change addresses into links
	if !subscribed {
		u.stanza("presence", "subscribe", friend) // the gateway may not change rosters elsewhere
	}
	g.network.send(true, "to "+who)
	u.await("a message of the friend", func(e *xmltree.Element) bool {
		return e.Name.Local == "message" && strings.HasPrefix(e.Attr("from"), friend) && e.ChildText("body") == "to "+who
	})
	u.send("<message to='%s' type='chat' id='gateway'><body>from %s</body></message>", friend, who)
	awaitLines(ctx, u.T, g.network, true, func(lines []string) bool {
		return len(lines) > 0 && strings.HasSuffix(lines[len(lines)-1], "from "+who)
	})
	g.network.setOnline(true)
	u.send("<presence to='%s' type='subscribe'/>", friend)
	u.await("the presence of the friend", func(e *xmltree.Element) bool {
		return e.Name.Local == "presence" && strings.HasPrefix(e.Attr("from"), friend) && e.Attr("type") == ""
	})
	channel, _ := g.network.channel()
	room := channel + "@" + g.domain()
	u.send("<presence to='%s/me'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>", room)
	u.await("the own presence in the channel", func(e *xmltree.Element) bool {
		return e.Name.Local == "presence" && strings.HasPrefix(e.Attr("from"), room+"/") && strings.Contains(e.String(), "code=\"110\"")
	})
	text := fmt.Sprint("in the channel at ", time.Now().UnixNano())
	u.send("<message to='%s' type='groupchat' id='%s'><body>%s</body></message>", room, "channel", text)
	awaitLines(ctx, u.T, g.network, false, func(lines []string) bool { return len(lines) > 0 && strings.HasSuffix(lines[len(lines)-1], text) })
	u.await("the own message", func(e *xmltree.Element) bool { return e.Name.Local == "message" && e.ChildText("body") == text })
	g.look(u, friend, room, text)
	address := u.upload("a file for the channel")
	u.send("<message to='%s' type='groupchat' id='file'><body>%s</body><x xmlns='jabber:x:oob'><url>%[2]s</url></x></message>", room, address)
	awaitLines(ctx, u.T, g.network, false, func(lines []string) bool { return len(lines) > 0 && strings.Contains(lines[len(lines)-1], address) })
}

// look reads what the gateway shows of the friend and of the channel, in which text was sent.
func (g remoteGateway) look(u *remoteUser, friend, room, text string) {
	_, name, _ := g.network.friend()
	e := u.request("get", friend, "<vCard xmlns='vcard-temp'/>") // a picture of a gateway's person is in it (XEP-0153)
	if picture := e.Find("vCard", "PHOTO", "BINVAL"); !strings.Contains(e.String(), name) || picture == nil || picture.Text == "" {
		u.Errorf("vCard of %s: %s", friend, e)
	}
	if !u.inArchive(room, text) {
		u.Errorf("the archive of %s does not have %s", room, text)
	}
	u.bookmark(room)
	if e := u.request("get", room, "<query xmlns='http://jabber.org/protocol/disco#info'/>"); !strings.Contains(e.String(), "http://jabber.org/protocol/muc") {
		u.Errorf("%s: %s", room, e)
	}
}
