package integration_test

import (
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/integration/peers"
	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// TestFederationBidirectional lets a Prosody and this server, in turn, open the one connection that both use (XEP-0288).
func TestFederationBidirectional(t *testing.T) {
	t.Parallel()
	for name, dialback := range map[string]bool{"certificates": false, "dialback": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := peers.NewFederation(t)
			alice := peers.Account{User: "alice", Password: "secret of alice"}
			setup := func(host string) peers.Setup {
				return peers.Setup{Host: host, Accounts: []peers.Account{alice}, Federation: f, Dialback: dialback, Conference: true, Admin: "alice"}
			}
			prosody := &federated{Server: &peers.StartProsody(t, setup("prosody.example")).Server, name: "prosody"}
			dragoman := &federated{
				Server: &peers.StartDragoman(t, peers.Options{Setup: setup("dragoman.example"), Links: "bidirectional = \"ask\""}).Server, name: "dragoman",
			}
			for _, s := range []*federated{prosody, dragoman} {
				s.user = s.login(t.Context(), t, alice)
				s.user.send("<presence/><iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>")
				s.user.await("the roster", func(e *xmltree.Element) bool { return e.Attr("id") == "roster" })
			}
			for _, first := range []*federated{dragoman, prosody} {
				second := prosody
				want := "out and back"
				if first == prosody {
					second, want = dragoman, "in and back"
				}
				exchangeMessages(first.user.on(t), second.user.on(t), second)
				got := directions(dragoman.user.on(t), "prosody.example")
				// To verify a key Prosody opens a connection, on which it proves who it is, too.
				if got != want && !(dialback && strings.Contains(got, "and back")) {
					t.Errorf("%s opens: connections %q, want %q", first.name, got, want)
				}
				exchangePresence(first.user.on(t), second.user.on(t), second)
				exchangeUnsubscribe(first.user.on(t), second.user.on(t), second)
				closeConnections(dragoman.user.on(t), "prosody.example")
			}
		})
	}
}

// directions returns those of the connections with a domain, as administrators see them.
func directions(u *remoteUser, domain string) string {
	u.Helper()
	_, host, _ := strings.Cut(u.jid, "@")
	answer := u.request("set", host, "<command xmlns='http://jabber.org/protocol/commands' action='execute' node='links-list'/>")
	var all []string
	if x := answer.Find("command", "x"); x != nil {
		for _, field := range x.Children {
			if parts := strings.Split(field.Attr("label"), " · "); field.ChildText("value") == domain && len(parts) == 3 && parts[0] == host {
				all = append(all, parts[1])
			}
		}
	}
	return strings.Join(all, ", ")
}

// closeConnections closes the connections with a domain, and waits until they are closed.
func closeConnections(u *remoteUser, domain string) {
	u.Helper()
	_, host, _ := strings.Cut(u.jid, "@")
	const node = "<command xmlns='http://jabber.org/protocol/commands' node='links-close'"
	session := u.request("set", host, node+" action='execute'/>").Find("command").Attr("sessionid")
	u.request("set", host, node+" action='complete' sessionid='"+session+"'><x xmlns='jabber:x:data' type='submit'><field var='domain'><value>"+domain+
		"</value></field></x></command>")
	for deadline := time.Now().Add(federationTimeout); strings.Contains(directions(u, domain), "back"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			u.Fatalf("the connections with %s stay", domain)
		}
	}
}
