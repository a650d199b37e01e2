package integration_test

import (
	"testing"

	"github.com/dragoman-im/dragoman/integration/peers"
	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// TestFederationImpostor runs servers of others with wrong settings: a Prosody that serves the domain of an ejabberd which others find
// elsewhere, and a Prosody whose certificate has expired. What their users write comes back to them, and nothing arrives.
func TestFederationImpostor(t *testing.T) { // checklist 106, 107, 110
	t.Parallel()
	f, apart := peers.NewFederation(t), peers.NewFederation(t) // the impostor asks a DNS server of its own
	alice := peers.Account{User: "alice", Password: "secret of alice"}
	setup := func(host string, f *peers.Federation) peers.Setup {
		return peers.Setup{Host: host, Accounts: []peers.Account{alice}, Federation: f, Dialback: true}
	}
	strict := setup("dragoman.example", f)
	strict.Dialback = false
	d := peers.StartDragoman(t, peers.Options{Setup: strict, Links: "[[federation_domain]]\ndomain = \"ejabberd.example\"\nrequire_certificate = false\n"})
	outdated := setup("expired.example", f)
	outdated.Certificate = f.CertificateFor(t, t.TempDir(), peers.Expired(), "expired.example")
	own := &federated{Server: &d.Server, name: "dragoman"}
	good := &federated{Server: &peers.StartEjabberd(t, setup("ejabberd.example", f)).Server, name: "ejabberd"}
	expired := &federated{Server: &peers.StartProsody(t, outdated).Server, name: "prosody"}
	impostor := &federated{Server: &peers.StartProsody(t, setup("ejabberd.example", apart)).Server, name: "prosody"}
	apart.Announce(t, d.ServerAddr, own.Host)
	for _, s := range []*federated{own, good, expired, impostor} {
		l := *s.Server
		if s.Server == expired.Server {
			l.TLS = outdated.Certificate.Unchecked()
		}
		s.user = (&federated{Server: &l, name: s.name}).login(t.Context(), t, alice)
		s.user.send("<presence/>")
		s.user.stanza("presence", "", s.user.full())
	}
	for _, s := range []*federated{impostor, expired} {
		s.user.send("<message to='%s' type='chat' id='forged'><body>forged</body></message>", own.user.jid)
		s.user.stanza("message", "error", own.user.jid)
	}
	if !d.Log().Contains("dialback key is invalid") {
		t.Error("the key of the impostor was not verified")
	}
	own.user.send("<message to='%s' type='chat' id='out'><body>secret</body></message>", expired.user.jid)
	own.user.await("the error of the expired certificate", func(e *xmltree.Element) bool {
		fault := e.Find("error")
		return e.Attr("id") == "out" && fault != nil && fault.Child("urn:ietf:params:xml:ns:xmpp-stanzas", "remote-server-not-found") != nil
	})
	good.user.send("<message to='%s' type='chat' id='good'><body>good</body></message>", own.user.jid)
	e := own.user.await("the message of the good server, and no other", func(e *xmltree.Element) bool { return e.Name.Local == "message" })
	if e.ChildText("body") != "good" {
		t.Errorf("got %s", e)
	}
	own.user.send("<message to='%s' type='chat' id='answer'><body>answer</body></message>", good.user.jid)
	if e := good.user.stanza("message", "chat", own.user.full()); e.ChildText("body") != "answer" {
		t.Errorf("got %s", e)
	}
}
