package integration_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/integration/peers"
	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// exchange is something that users of two servers do together, the first one at the request of the test.
type exchange struct {
	name string
	run  func(a, b *remoteUser, to *federated)
}

// exchanges are run in this order for each pair of servers, in both directions.
var exchanges = []exchange{
	{"message", exchangeMessages},
	{"subscription and presence", exchangePresence},
	{"room and its archive", exchangeRoom},
	{"avatar", exchangeAvatar},
	{"upload", exchangeUpload},
	{"bookmark", exchangeBookmark},
	{"end of the subscription", exchangeUnsubscribe},
}

func exchangeMessages(a, b *remoteUser, _ *federated) {
	a.send("<message to='%s' type='chat' id='m1'><body>hello from %s &amp; ü</body><x xmlns='jabber:x:oob'><url>https://%[2]s/file</url></x></message>", b.jid, a.jid)
	e := b.stanza("message", "chat", a.full())
	if e.ChildText("body") != "hello from "+a.jid+" & ü" || e.Attr("to") != b.jid || e.Find("x", "url") == nil {
		b.Errorf("got %s", e)
	}
	b.send("<message to='%s' type='chat' id='m2'><body>answer</body></message>", e.Attr("from"))
	if e := a.stanza("message", "chat", b.full()); e.ChildText("body") != "answer" || e.Attr("to") != a.full() {
		a.Errorf("got %s", e)
	}
	// An unknown resource and an unknown account are answered with an error by the other server.
	id := "unknown"
	a.send("<iq type='get' id='%s' to='nobody@%s'><query xmlns='jabber:iq:version'/></iq>", id, strings.SplitN(b.jid, "@", 2)[1])
	a.await("the error of an unknown account", func(e *xmltree.Element) bool {
		return e.Name.Local == "iq" && e.Attr("id") == id && e.Attr("type") == "error"
	})
}

func exchangePresence(a, b *remoteUser, _ *federated) {
	a.send("<presence to='%s' type='subscribe'/>", b.jid)
	b.stanza("presence", "subscribe", a.jid)
	b.send("<presence to='%s' type='subscribed'/>", a.jid)
	a.stanza("presence", "subscribed", b.jid)
	a.stanza("presence", "", b.jid) // the current one
	b.send("<presence to='%s' type='subscribe'/>", a.jid)
	a.stanza("presence", "subscribe", b.jid)
	a.send("<presence to='%s' type='subscribed'/>", b.jid)
	b.stanza("presence", "subscribed", a.jid)
	a.send("<presence><show>dnd</show><status>talking to %s</status></presence>", b.jid)
	b.await("the status", func(e *xmltree.Element) bool {
		return e.Name.Local == "presence" && e.Attr("from") == a.full() && e.ChildText("status") == "talking to "+b.jid
	})
	a.send("<presence type='unavailable'/>")
	b.stanza("presence", "unavailable", a.full())
	a.send("<presence/>")
	b.stanza("presence", "", a.full())
	a.stanza("presence", "", b.jid) // by a probe
}

func exchangeRoom(a, b *remoteUser, to *federated) {
	room := fmt.Sprintf("%s@%s", strings.ReplaceAll(a.jid, "@", "-at-"), to.rooms())
	b.send("<presence to='%s/B'><x xmlns='http://jabber.org/protocol/muc'/></presence>", room)
	b.stanza("presence", "", room+"/B")
	// It may be locked until it is configured; the archive has to be on.
	b.request("set", room, "<query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'>"+
		"<field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>"+
		"<field var='muc#roomconfig_persistentroom'><value>1</value></field>"+archiveField(to.name)+"</x></query>")
	a.send("<presence to='%s/A'><x xmlns='http://jabber.org/protocol/muc'/></presence>", room)
	a.await("the own presence in the room", func(e *xmltree.Element) bool {
		return e.Name.Local == "presence" && e.Attr("from") == room+"/A" && strings.Contains(e.String(), "110")
	})
	b.stanza("presence", "", room+"/A")
	a.send("<message to='%s' type='groupchat' id='g1'><body>in the room</body></message>", room)
	for _, u := range []*remoteUser{a, b} {
		u.await("the message in the room", func(e *xmltree.Element) bool {
			return e.Name.Local == "message" && e.Attr("from") == room+"/A" && e.ChildText("body") == "in the room"
		})
	}
	if !a.inArchive(room, "in the room") {
		a.Errorf("the archive of %s does not have the message", room)
	}
	a.send("<presence to='%s/A' type='unavailable'/>", room)
	b.stanza("presence", "unavailable", room+"/A")
	b.send("<presence to='%s/B' type='unavailable'/>", room)
	b.stanza("presence", "unavailable", room+"/B")
}

// archiveField is the field of a room's configuration that switches its archive on.
func archiveField(server string) string {
	if server == "ejabberd" {
		return "<field var='mam'><value>1</value></field>"
	}
	return "<field var='muc#roomconfig_enablearchiving'><value>1</value></field>"
}

const (
	avatarID   = "da39a3ee5e6b4b0d3255bfef95601890afd80709"
	spaceNodes = "http://jabber.org/protocol/pubsub"
)

// publish stores an item at the own account, readable by everybody.
func (u *remoteUser) publish(node, id, payload, access string) {
	u.Helper()
	u.request("set", u.jid, fmt.Sprintf("<pubsub xmlns='%s'><publish node='%s'><item id='%s'>%s</item></publish><publish-options><x xmlns='jabber:x:data' type='submit'>"+
		"<field var='FORM_TYPE' type='hidden'><value>%s#publish-options</value></field><field var='pubsub#access_model'><value>%s</value></field></x></publish-options></pubsub>",
		spaceNodes, node, id, payload, spaceNodes, access))
}

func exchangeAvatar(a, b *remoteUser, _ *federated) {
	a.publish("urn:xmpp:avatar:data", avatarID, "<data xmlns='urn:xmpp:avatar:data'>QQ==</data>", "presence")
	a.publish("urn:xmpp:avatar:metadata", avatarID, fmt.Sprintf("<metadata xmlns='urn:xmpp:avatar:metadata'><info bytes='1' id='%s' type='image/png'/></metadata>", avatarID), "presence")
	for _, node := range []string{"urn:xmpp:avatar:metadata", "urn:xmpp:avatar:data"} {
		e := b.request("get", a.jid, fmt.Sprintf("<pubsub xmlns='%s'><items node='%s'/></pubsub>", spaceNodes, node))
		if !strings.Contains(e.String(), avatarID) {
			b.Errorf("%s of %s: %s", node, a.jid, e)
		}
	}
}

// exchangeUpload has the first user upload a file to the own server, and the other one fetch it.
func exchangeUpload(a, b *remoteUser, _ *federated) {
	content := "content of " + a.jid
	address := a.upload(content)
	a.send("<message to='%s' type='chat' id='file'><body>%s</body><x xmlns='jabber:x:oob'><url>%[2]s</url></x></message>", b.jid, address)
	e := b.await("the address of the file", func(e *xmltree.Element) bool { return e.Name.Local == "message" && e.ChildText("body") == address })
	if status, text, _ := download(b.Context(), b.T, e.Find("x").ChildText("url")); status != http.StatusOK || string(text) != content {
		b.Errorf("got %d, %q", status, text)
	}
}

// upload uploads a file to the own server, and returns its address.
func (u *remoteUser) upload(content string) string {
	u.Helper()
	_, host, _ := strings.Cut(u.jid, "@")
	answer := u.request("get", "upload."+host, fmt.Sprintf("<request xmlns='urn:xmpp:http:upload:0' filename='file.txt' size='%d' content-type='text/plain'/>", len(content)))
	put, get := answer.Find("slot", "put"), answer.Find("slot", "get")
	if put == nil || get == nil {
		u.Fatalf("no slot: %s", answer)
	}
	if status, err := (slot{put.Attr("url"), put.ChildText("header")}).put(u.Context(), int64(len(content)), strings.NewReader(content)); err != nil || status >= 300 {
		u.Fatalf("upload: %d, %v", status, err)
	}
	return get.Attr("url")
}

func exchangeBookmark(a, _ *remoteUser, to *federated) {
	a.bookmark("shared@" + to.rooms())
	// The service exists, and the client can find out what it is.
	if e := a.request("get", to.rooms(), "<query xmlns='http://jabber.org/protocol/disco#info'/>"); !strings.Contains(e.String(), "http://jabber.org/protocol/muc") {
		a.Errorf("%s: %s", to.rooms(), e)
	}
}

// bookmark keeps a room at the own server, and reads it again.
func (u *remoteUser) bookmark(room string) {
	u.Helper()
	u.publish("urn:xmpp:bookmarks:1", room, "<conference xmlns='urn:xmpp:bookmarks:1' autojoin='true' name='Shared'><nick>A</nick></conference>", "whitelist")
	e := u.request("get", u.jid, fmt.Sprintf("<pubsub xmlns='%s'><items node='urn:xmpp:bookmarks:1'/></pubsub>", spaceNodes))
	if !strings.Contains(e.String(), room) {
		u.Errorf("bookmarks: %s", e)
	}
}

// inArchive reports whether the archive of a room has a text.
func (u *remoteUser) inArchive(room, text string) (found bool) {
	u.Helper()
	id := fmt.Sprintf("mam%d", u.ids.Add(1))
	u.send("<iq type='set' id='%s' to='%s'><query xmlns='urn:xmpp:mam:2' queryid='%[1]s'/></iq>", id, room)
	u.await("the archive of the room", func(e *xmltree.Element) bool {
		if e.Name.Local == "message" && e.Child("urn:xmpp:mam:2", "result") != nil && strings.Contains(e.String(), text) {
			found = true
		}
		return e.Name.Local == "iq" && e.Attr("id") == id
	})
	return found
}

func exchangeUnsubscribe(a, b *remoteUser, _ *federated) {
	a.send("<iq type='set' id='gone'><query xmlns='jabber:iq:roster'><item jid='%s' subscription='remove'/></query></iq>", b.jid)
	b.await("the roster push without a subscription", func(e *xmltree.Element) bool {
		item := e.Find("query", "item")
		return e.Name.Local == "iq" && item != nil && item.Attr("jid") == a.jid && item.Attr("subscription") == "none"
	})
	b.send("<iq type='set' id='gone'><query xmlns='jabber:iq:roster'><item jid='%s' subscription='remove'/></query></iq>", a.jid)
	b.await("the roster push", func(e *xmltree.Element) bool { return e.Name.Local == "iq" && e.Attr("id") == "gone" })
}

// federation starts three servers with gateways, and logs in a user on each. Servers that have no certificate of the authority rely on dialback.
func federation(t *testing.T, dialback bool, gateways ...remoteGateway) []*federated {
	t.Helper()
	f := peers.NewFederation(t)
	alice := peers.Account{User: "alice", Password: "secret of alice"}
	setup := func(name string) peers.Setup {
		s := peers.Setup{Host: name + ".example", Accounts: []peers.Account{alice}, Federation: f, Dialback: dialback, Conference: true, Nodes: true}
		for _, g := range gateways {
			if g.at == name {
				s.Components = append(s.Components, g.component())
			}
		}
		return s
	}
	own := setup("dragoman")
	own.Components = nil // they are inside
	inside := slices.DeleteFunc(slices.Clone(gateways), func(g remoteGateway) bool { return g.at != "dragoman" })
	servers := []*federated{
		{Server: &peers.StartEjabberd(t, setup("ejabberd")).Server, name: "ejabberd"},
		{Server: &peers.StartProsody(t, setup("prosody")).Server, name: "prosody"},
		federatedDragoman(t, own, inside...),
	}
	for _, s := range servers {
		s.user = s.login(t.Context(), t, alice)
		s.user.send("<presence/><iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>")
		s.user.await("the roster", func(e *xmltree.Element) bool { return e.Attr("id") == "roster" })
		for _, g := range gateways {
			if g.at == s.name && s.name != "dragoman" {
				g.start(t, s)
			}
		}
	}
	return servers
}

// eachPair runs exchanges between the users of each pair of servers, in both directions, until one fails.
func eachPair(t *testing.T, servers []*federated, all ...exchange) {
	t.Helper()
	for _, from := range servers {
		for _, to := range servers {
			if from == to {
				continue
			}
			t.Run(from.name+" to "+to.name, func(t *testing.T) {
				for _, e := range all {
					if !t.Run(e.name, func(t *testing.T) { e.run(from.user.on(t), to.user.on(t), to) }) {
						return // what comes next needs it
					}
				}
			})
		}
	}
}

// TestFederation lets users of three servers communicate, each pair of servers in both directions, and those of each server use the gateways of the others.
func TestFederation(t *testing.T) {
	t.Parallel()
	gateways := remoteGateways(t)
	servers := federation(t, false, gateways...)
	for _, g := range gateways {
		for _, s := range servers {
			if s.name != g.at {
				t.Run(fmt.Sprintf("%s at %s for %s", g.network.kind(), g.at, s.name), func(t *testing.T) { g.use(s.user.on(t)) })
			}
		}
	}
	eachPair(t, servers, exchanges...)
}

// TestFederationByDialback is TestFederation for servers whose certificates nobody trusts.
func TestFederationByDialback(t *testing.T) {
	t.Parallel()
	eachPair(t, federation(t, true), append(slices.Clone(exchanges[:3]), exchanges[len(exchanges)-1])...)
}
