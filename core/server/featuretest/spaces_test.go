package featuretest

import (
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

const spacesNS = "urn:xmpp:spaces:0"

// completes executes a command of the publish-subscribe service, answers each of its forms with the fields that it has, and returns the last
// answer: what the form says, or the condition of an error.
func (c *client) completes(node string, fields ...string) string {
	c.t.Helper()
	c.take()
	c.sends(ask("set", "run", service, `<command xmlns='http://jabber.org/protocol/commands' node='`+node+`' action='execute'/>`))
	for range 5 {
		var answer *stanza.Stanza
		for _, st := range c.take() {
			if st.ID == "run" {
				answer = st
			}
		}
		if answer == nil {
			c.t.Fatalf("%s: no answer", node)
		}
		if e := answer.Err(); e != nil {
			return e.Condition
		}
		x := answer.FirstChild()
		if x.Attr("status") != "executing" {
			return x.String()
		}
		text, form := "", x.Child("jabber:x:data", "x").String()
		for i := 0; i < len(fields); i += 2 {
			if strings.Contains(form, "var='"+fields[i]+"'") {
				text += value(fields[i], fields[i+1])
			}
		}
		c.sends(ask("set", "run", service, `<command xmlns='http://jabber.org/protocol/commands' node='`+node+`' sessionid='`+x.Attr("sessionid")+`'><x xmlns='jabber:x:data' type='submit'>`+text+`</x></command>`))
	}
	c.t.Fatalf("%s does not end", node)
	return ""
}

// createsSpace creates a space and returns its node.
func (c *client) createsSpace(fields ...string) string {
	c.t.Helper()
	answer := parseElement(c.t, c.completes("create-space", fields...))
	for f := range answer.Child("jabber:x:data", "x").Elements() {
		if f.Attr("var") == "node" {
			return f.ChildText("jabber:x:data", "value")
		}
	}
	c.t.Fatalf("%s", answer)
	return ""
}

// commands are the nodes of the commands that the service offers.
func (c *client) offered() string {
	c.t.Helper()
	c.take()
	c.sends(ask("get", "list", service, `<query xmlns='http://jabber.org/protocol/disco#items' node='http://jabber.org/protocol/commands'/>`))
	var list []string
	for i := range c.take()[0].FirstChild().Elements() {
		list = append(list, i.Attr("node"))
	}
	return strings.Join(list, " ")
}

// describes returns what disco#info says about a room.
func (c *client) describes(at string) string {
	c.t.Helper()
	c.take()
	c.to(at, ask("get", "d", at, `<query xmlns='http://jabber.org/protocol/disco#info'/>`))
	return show(c.take())
}

// XEP-0503: a space is created, renamed, joined and left; rooms are added to it, which say so, and taken out again.
func TestSpaces(t *testing.T) {
	t.Parallel()
	url := storetest.URL(t)
	s := startAt(t, url, "alice", "bob")
	alice, bob := s.online(alicePC), s.online(bobDesk)
	if got := bob.offered(); got != "create-space" {
		t.Error(got)
	}
	node := alice.createsSpace("title", "Developers", "description", "All of them")
	uri := "xmpp:" + service + "?;node=" + node

	// XEP-0503 §5.1, §5.2
	bob.sends(ask("get", "1", service, `<query xmlns='http://jabber.org/protocol/disco#items'/>`), ask("get", "2", service, `<query xmlns='http://jabber.org/protocol/disco#info' node='`+node+`'/>`))
	bob.gets(`<iq type='result' id='1'><query xmlns='http://jabber.org/protocol/disco#items'><item jid='`+service+`' node='`+node+`' name='Developers'/></query></iq>`,
		`<iq type='result' id='2'><query xmlns='http://jabber.org/protocol/disco#info' node='`+node+`'><identity category='pubsub' type='leaf'/><x xmlns='jabber:x:data' type='result'><field var='pubsub#title'><value>Developers</value></field><field var='pubsub#type'><value>`+spacesNS+`</value></field><field var='pubsub#access_model'><value>open</value></field><field var='pubsub#creator'><value>alice@example.org</value></field><field var='pubsub#owner'><value>alice@example.org</value></field></x></query></iq>`)

	if got := bob.completes("join-space", "space", node); !strings.Contains(got, "You have joined Developers") {
		t.Error(got)
	}
	alice.gets(news(aliceBare, `<subscription node='`+node+`' jid='bob@example.org' subscription='subscribed'/>`)) // pubsub#notify_sub
	alice.to(lobby, enters(lobby, "Al"), configures(lobby, "persistentroom", "1"))
	if got := alice.describes(lobby); strings.Contains(got, spacesNS) {
		t.Error(got)
	}
	if got := alice.completes("add-room", "space", node, "room", lobby, "name", "Lobby", "autojoin", "1"); !strings.Contains(got, "The room is in the space.") {
		t.Error(got)
	}
	bob.getsSome(news(bobBare, `<items node='`+node+`'><item id='`+lobby+`'><conference xmlns='urn:xmpp:bookmarks:1' name='Lobby' autojoin='true'/></item></items>`))

	// XEP-0503 §5.5
	got := bob.describes(lobby)
	for _, want := range []string{`<feature var='` + spacesNS + `'/>`, `<value>` + spacesNS + `</value></field><field var='parent'`, `<value>` + uri + `</value>`, `muc#roomconfig_pubsub`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing: %s", want, got)
		}
	}
	// A room of somebody else, or one that does not exist, is in the space and does not say so.
	den := "den@" + conferenceDomain
	bob.to(den, enters(den, "Bob"), configures(den, "persistentroom", "1"))
	for _, at := range []string{den, "none@" + conferenceDomain, "room@elsewhere.example"} {
		if got := alice.completes("add-room", "space", node, "room", at); !strings.Contains(got, "does not say so") {
			t.Errorf("%s: %s", at, got)
		}
	}
	if got := bob.describes(den); strings.Contains(got, spacesNS) {
		t.Error(got)
	}
	for cmd, fields := range map[string][]string{
		"rename-space": {"title", "Mine"}, "add-room": {"room", den}, "remove-room": {"room", lobby}, "delete-space": {"sure", "1"}, "space-members": nil,
	} {
		if got := bob.completes(cmd, append(fields, "space", node)...); got != "forbidden" {
			t.Errorf("%s by one who may not: %s", cmd, got)
		}
	}
	if got := alice.completes("space-members", "space", node); !strings.Contains(got, "bob@example.org") || !strings.Contains(got, "owner") {
		t.Error(got)
	}
	if got := alice.completes("rename-space", "space", node, "title", "Makers"); !strings.Contains(got, "new name") {
		t.Error(got)
	}
	bob.getsSome(news(bobBare, `<configuration node='`+node+`'><x xmlns='jabber:x:data' type='result'><field var='pubsub#title'><value>Makers</value></field></x></configuration>`))

	s.stop() // what a room says and the space are kept
	s = startAt(t, url)
	alice, bob = s.online(alicePC), s.online(bobDesk)
	if got := bob.describes(lobby); !strings.Contains(got, uri) {
		t.Error(got)
	}
	if got := alice.completes("remove-room", "space", node, "room", lobby); !strings.Contains(got, "not in the space") {
		t.Error(got)
	}
	bob.getsSome(news(bobBare, `<items node='`+node+`'><retract id='`+lobby+`'/></items>`))
	if got := bob.describes(lobby); strings.Contains(got, spacesNS) || strings.Contains(got, uri) {
		t.Error(got)
	}
	if got := bob.completes("leave-space", "space", node); !strings.Contains(got, "You have left Makers") {
		t.Error(got)
	}
	alice.getsSome(news(aliceBare, `<subscription node='`+node+`' jid='bob@example.org' subscription='none'/>`))
	if got := alice.completes("delete-space", "space", node, "sure", "1"); !strings.Contains(got, "deleted") {
		t.Error(got)
	}
	if got := bob.offered(); got != "create-space" {
		t.Error(got)
	}
}

// A room that is destroyed leaves the space that it says to be in; other rooms of the space stay.
func TestDestroyedRoomLeavesItsSpace(t *testing.T) {
	t.Parallel()
	s := startAt(t, storetest.URL(t), "alice", "bob")
	alice, bob := s.online(alicePC), s.online(bobDesk)
	node := alice.createsSpace("title", "Developers", "description", "All of them")
	bob.completes("join-space", "space", node)
	alice.to(lobby, enters(lobby, "Al"), configures(lobby, "persistentroom", "1"))
	den := "den@" + conferenceDomain // belongs to nobody who could take it out
	bob.to(den, enters(den, "Bob"), configures(den, "persistentroom", "1"))
	for _, at := range []string{lobby, den} {
		alice.completes("add-room", "space", node, "room", at)
	}
	bob.take()
	destroy := ask("set", "end", lobby, `<query xmlns='http://jabber.org/protocol/muc#owner'><destroy/></query>`)
	alice.to(lobby, destroy)
	bob.getsSome(news(bobBare, `<items node='`+node+`'><retract id='`+lobby+`'/></items>`))
	alice.to(lobby, enters(lobby, "Al"), configures(lobby, "persistentroom", "1", "muc#roomconfig_pubsub", "xmpp:"+service+"?;node="+node))
	alice.to(lobby, destroy) // it is in the space no longer
	alice.take()
	alice.sends(ask("get", "rooms", service, `<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='`+node+`'/></pubsub>`))
	if got := show(alice.take()); strings.Contains(got, lobby) || !strings.Contains(got, den) {
		t.Error(got)
	}
}

// A room whose owner names something that is no space of this server is in none.
func TestNoSpace(t *testing.T) {
	t.Parallel()
	s := startAt(t, storetest.URL(t), "alice")
	alice := s.online(alicePC)
	alice.sends(pubsub("set", "1", service, `<create node='blog'/>`))
	alice.to(lobby, enters(lobby, "Al"), configures(lobby))
	for _, node := range []string{"xmpp:" + service + "?;node=blog", "xmpp:" + service + "?;node=none", "xmpp:elsewhere.example?;node=dev", "xmpp:" + service, "xmpp:" + service + "?;node=%zz"} {
		alice.to(lobby, configures(lobby, "pubsub", node))
		if got := alice.describes(lobby); strings.Contains(got, spacesNS) || !strings.Contains(got, node) {
			t.Errorf("%s: %s", node, got)
		}
	}
}

// A private space is joined when an owner has agreed (XEP-0503 §3). Until then its rooms are not shown.
func TestPrivateSpace(t *testing.T) {
	t.Parallel()
	s := startAt(t, storetest.URL(t), "alice", "bob")
	alice, bob := s.online(alicePC), s.online(bobDesk)
	node := alice.createsSpace("title", "Board", "private", "1")
	if got := bob.completes("join-space", "space", node); !strings.Contains(got, "are asked") {
		t.Error(got)
	}
	asked := show(alice.take())
	if !strings.Contains(asked, "subscribe_authorization") {
		t.Fatal(asked)
	}
	bob.sends(pubsub("get", "g", service, `<items node='`+node+`'/>`))
	bob.gets(fails("iq", "g", "not-authorized"))
	id := between(asked, "var='pubsub#subid'", "</value>")
	id = id[strings.LastIndex(id, ">")+1:]
	alice.sends(`<message to='` + service + `'>` + submit(pubsubNS+"#subscribe_authorization", "pubsub#subid", id, "pubsub#node", node, "pubsub#subscriber_jid", "bob@example.org", "pubsub#allow", "1") + `</message>`)
	bob.getsSome(news(bobBare, `<subscription node='`+node+`' jid='bob@example.org' subscription='subscribed'/>`))
	bob.sends(pubsub("get", "g", service, `<items node='`+node+`'/>`))
	bob.gets(`<iq type='result' id='g'><pubsub xmlns='` + pubsubNS + `'><items node='` + node + `'/></pubsub></iq>`)
}

// between returns what is between two texts.
func between(s, from, to string) string {
	_, rest, _ := strings.Cut(s, from)
	found, _, _ := strings.Cut(rest, to)
	return found
}

// A space takes items of all kinds, pictures in several formats (XEP-0503 §5.2.1), and no configuration that makes it useless.
func TestSpaceNode(t *testing.T) {
	t.Parallel()
	s := startAt(t, storetest.URL(t), "alice")
	alice := s.online(alicePC)
	space := func(fields ...string) string {
		return submit(pubsubNS+`#node_config`, append([]string{"pubsub#type", spacesNS}, fields...)...)
	}
	alice.sends(pubsub("set", "1", service, `<create node='dev'/><configure>`+space()+`</configure>`))
	alice.gets(result("1"))
	const picture = `<metadata xmlns='urn:xmpp:avatar:metadata'><info id='1' bytes='1' type='image/png'/></metadata>`
	for _, c := range []struct{ item, payload, condition string }{
		{"room@example.org", `<conference xmlns='urn:xmpp:bookmarks:1' name='A'/>`, ""},
		{"https://example.org/", `<x xmlns='jabber:x:oob'><url>https://example.org/</url></x>`, ""},
		{"1", `<subscription xmlns='urn:xmpp:pubsub:subscription:0' server='pubsub.example.org' node='news'/>`, ""},
		{"2", picture + picture, "bad-request"},
		{"urn:xmpp:spaces:avatar:metadata:0", picture + picture, ""},
		{"urn:xmpp:spaces:banner:metadata:0", picture, ""},
		{"urn:xmpp:spaces:banner:metadata:0", `<x xmlns='jabber:x:oob'/>`, "bad-request"},
		{"urn:xmpp:spaces:banner:metadata:0", picture + `<x xmlns='jabber:x:oob'/>`, "bad-request"},
	} {
		alice.sends(pubsub("set", "p", service, publish("dev", c.item, c.payload)))
		if got := alice.conditions(); got != c.condition {
			t.Errorf("%s %s: %q, want %q", c.item, c.payload, got, c.condition)
		}
	}
	alice.sends(pubsub("get", "g", service, `<items node='dev'><item id='urn:xmpp:spaces:avatar:metadata:0'/></items>`))
	alice.gets(`<iq type='result' id='g'><pubsub xmlns='` + pubsubNS + `'><items node='dev'><item id='urn:xmpp:spaces:avatar:metadata:0'>` + picture + picture + `</item></items></pubsub></iq>`)
	for _, wrong := range [][]string{{"pubsub#persist_items", "0"}, {"pubsub#notify_retract", "0"}, {"pubsub#access_model", "presence"}} {
		alice.sends(pubsub("set", "2", service, `<create node='x'/><configure>`+space(wrong...)+`</configure>`), owner("set", "3", service, `<configure node='dev'>`+space(wrong...)+`</configure>`))
		if got := alice.conditions(); got != "not-acceptable not-acceptable" {
			t.Errorf("%v: %s", wrong, got)
		}
	}
}

// XEP-0060 §8.7: an owner gets the subscriptions that wait for a decision, and decides about them; others do not.
func TestPendingSubscriptions(t *testing.T) {
	t.Parallel()
	s := startAt(t, storetest.URL(t), "alice", "bob", "carol")
	alice, bob, carol := s.online(alicePC), s.online(bobDesk), s.online("carol@example.org/x")
	const getPending = pubsubNS + "#get-pending"
	if got := alice.completes(getPending); got != "forbidden" {
		t.Error(got)
	}
	node := alice.createsSpace("title", "Board", "private", "1")
	if got := alice.completes(getPending); !strings.Contains(got, "Nobody waits") {
		t.Error(got)
	}
	for _, c := range []*client{bob, carol} {
		if got := c.completes("join-space", "space", node); !strings.Contains(got, "are asked") {
			t.Error(got)
		}
	}
	alice.take()
	alice.sends(ask("set", "x", service, `<command xmlns='http://jabber.org/protocol/commands' node='`+getPending+`' action='execute'/>`))
	first := alice.take()
	if got := show(first); !strings.Contains(got, pubsubNS+"#subscribe_authorization") || !strings.Contains(got, "<option><value>"+node+"</value>") {
		t.Fatal(got)
	}
	alice.sends(ask("set", "y", service, `<command xmlns='http://jabber.org/protocol/commands' node='`+getPending+`' sessionid='`+first[0].FirstChild().Attr("sessionid")+`'>`+
		submit(pubsubNS+"#subscribe_authorization", "pubsub#node", node)+`</command>`))
	got := show(alice.take())
	if strings.Count(got, "var='pubsub#subscriber_jid'") != 2 || !strings.Contains(got, "bob@example.org") || !strings.Contains(got, "carol@example.org") || !strings.Contains(got, "2 requests") {
		t.Error(got)
	}
	alice.sends(`<message to='` + service + `'>` + submit(pubsubNS+"#subscribe_authorization", "pubsub#node", node, "pubsub#subscriber_jid", "bob@example.org", "pubsub#allow", "1") + `</message>`)
	bob.getsSome(news(bobBare, `<subscription node='`+node+`' jid='bob@example.org' subscription='subscribed'/>`))
	if got := bob.completes(getPending); got != "forbidden" {
		t.Error(got)
	}
}
