package integration_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/integration/peers"
	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// TestFederationRefusals sends messages to domains that cannot be reached, or must not be: the sender gets each one back once, with
// the condition that says why, and a server that can be reached is not delayed by them.
func TestFederationRefusals(t *testing.T) {
	t.Parallel()
	f := peers.NewFederation(t)
	alice := peers.Account{User: "alice", Password: "secret of alice"}
	setup := func(host string, dialback bool) peers.Setup {
		return peers.Setup{Host: host, Accounts: []peers.Account{alice}, Federation: f, Dialback: dialback}
	}
	own := federatedDragoman(t, setup("dragoman.example", false))
	good := &federated{Server: &peers.StartProsody(t, setup("prosody.example", false)).Server, name: "prosody"}
	wrong := &federated{Server: &peers.StartProsody(t, setup("wrong.example", true)).Server, name: "prosody"}
	for _, s := range []*federated{own, good, wrong} {
		s.user = s.login(t.Context(), t, alice)
		s.user.send("<presence/>")
		s.user.stanza("presence", "", s.user.full()) // from now on messages are for this session
	}
	f.Announce(t, own.ServerAddr, "mirror.example") // a domain that resolves to us
	f.Announce(t, good.ServerAddr, "other.example") // and one to a server that does not serve it
	f.Announce(t, fmt.Sprintf("127.0.0.1:%d", peers.FreePort(t)), "closed.example")
	f.DNS.Add(t, "_xmpp-server._tcp.none.example. 60 SRV 0 0 0 .")
	f.DNS.Add(t, "_xmpp-server._tcp.private.example. 60 SRV 0 0 22 private.example.", "private.example. 60 A 169.254.169.254")
	f.DNS.Silence("_xmpp-server._tcp.silent.example")
	f.DNS.Silence("_xmpps-server._tcp.silent.example")

	own.user.send("<message to='x@silent.example' type='chat' id='silent'><body>x</body></message>")
	begun := time.Now()
	for domain, condition := range map[string]string{
		"mirror.example": "remote-server-not-found", "other.example": "remote-server-not-found", "closed.example": "remote-server-timeout",
		"none.example": "remote-server-not-found", "missing.example": "remote-server-not-found", "private.example": "remote-server-timeout",
		"wrong.example": "remote-server-not-found",
	} {
		own.user.send("<message to='alice@%s' type='chat' id='%s'><body>x</body></message>", domain, domain)
		e := own.user.await("the error of "+domain, func(e *xmltree.Element) bool { return e.Attr("id") == domain })
		if fault := e.Find("error"); e.Attr("type") != "error" || fault == nil || fault.Child("urn:ietf:params:xml:ns:xmpp-stanzas", condition) == nil {
			t.Errorf("%s: got %s, want %s", domain, e, condition)
		}
	}
	own.user.send("<message to='%s' type='chat' id='good'><body>x</body></message>", good.user.jid)
	good.user.stanza("message", "chat", own.user.full())
	t.Logf("seven refusals and a message took %v", time.Since(begun))

	// A server whose certificate is not valid may not send, either.
	wrong.user.send("<message to='%s' type='chat' id='wrong'><body>forged</body></message>", own.user.jid)
	wrong.user.stanza("message", "error", own.user.jid)
	good.user.send("<message to='%s' type='chat' id='last'><body>last</body></message>", own.user.jid)
	own.user.await("the message of the good server, and no other", func(e *xmltree.Element) bool {
		if e.ChildText("body") == "forged" {
			t.Errorf("got %s", e)
		}
		return e.ChildText("body") == "last"
	})
}
