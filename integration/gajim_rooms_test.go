// The windows of Gajim do not always take what is typed on a busy machine: this test is run by hand, go test -tags gajim ./integration -run Gajim.

//go:build gajim

package integration_test

import (
	"context"
	"strings"
	"testing"
)

// TestGajimRooms has Gajim create and configure a room of the server's own, invite to it, write in it, moderate it and leave it
// (XEP-0045, XEP-0425).
func TestGajimRooms(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), gajimTimeout)
	defer cancel()
	g := startGajim(ctx, t)

	g.shows("from='conference." + testHost + "'") // it knows where rooms are
	// Its window asks for a name, with which it creates and configures the room.
	window := g.Window("Create Group Chat")
	g.repeats("create the room", func(ctx context.Context) error {
		g.activates("", "create-groupchat", "'test'")
		err := window.Click(ctx, 300, 93) // the name
		for _, keys := range []struct{ text, key string }{{"A Dark Cave", "ctrl+a"}, {"", "Tab"}, {"", "Tab"}, {"", "Tab"}, {"", "Return"}} {
			if err == nil {
				err = window.Keys(ctx, keys.text, keys.key)
			}
		}
		return err
	}, func(ctx context.Context) error { return g.Await(ctx, "muc#roomconfig_membersonly") })
	const named = "name='A Dark Cave'"
	g.shows(named)
	_, room, _ := strings.Cut(g.Last(named), "from='")
	room, _, _ = strings.Cut(room, "'")
	g.selects(room, "groupchat")

	// Only who was invited enters.
	g.types("/invite "+simonBare+" Come!", "jabber:x:conference", room, "Come!")
	enter := func() {
		t.Helper()
		g.send(g.simon, "<presence to='"+room+"/Simon'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>")
		g.gets("<presence", room+"/Simon", `"110"`)
	}
	enter()
	info := g.ask(g.simon, "get", room, "<query xmlns='http://jabber.org/protocol/disco#info'/>")
	if identity := info.Find("query", "identity"); identity.Attr("name") != "A Dark Cave" {
		t.Errorf("the room is called %q", identity.Attr("name"))
	}

	g.types("By the pricking of my thumbs", room, "By the pricking of my thumbs</body>")
	g.send(g.simon, "<message type='groupchat' to='"+room+"' id='m1'><body>Something wicked</body></message>")
	written := g.gets("m1", "Something wicked", "stanza-id")
	g.shows("Something wicked")
	id := written.Child("urn:xmpp:sid:0", "stanza-id").Attr("id")
	g.activates("/window/1", "retract-message", "{'account': <'test'>, 'jid': <'"+room+"'>, 'stanza_id': <'"+id+"'>}")
	g.confirms("Retract Message", "alt+r", "retract", id)

	g.activates("/window/1", "muc-change-role", "['Simon', 'visitor']")
	g.gets("<presence", room+"/Simon", `"visitor"`)
	g.activates("/window/1", "muc-change-affiliation", "['"+simonBare+"', 'admin']")
	g.gets("<presence", room+"/Simon", `"admin"`)
	g.activates("/window/1", "muc-change-affiliation", "['"+simonBare+"', 'member']")
	g.gets("<presence", room+"/Simon", `"member"`)
	g.types("/kick Simon Avaunt", "<presence", `"307"`, "Avaunt")
	enter()
	g.types("/ban Simon Treason", "<presence", `"301"`, "Treason")
	g.send(g.simon, "<presence to='"+room+"/Simon'><x xmlns='http://jabber.org/protocol/muc'/></presence>")
	g.gets("<presence", "<error", "forbidden")
}
