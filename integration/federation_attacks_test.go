package integration_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/integration/peers"
	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// Namespaces of the conditions by which a server refuses something.
const (
	streamFault   = "{urn:ietf:params:xml:ns:xmpp-streams}"
	stanzaFault   = "{urn:ietf:params:xml:ns:xmpp-stanzas}"
	loginFault    = "{urn:ietf:params:xml:ns:xmpp-sasl}"
	resultElement = "{jabber:server:dialback}result"
	verifyElement = "{jabber:server:dialback}verify"
)

// How long servers have for the negotiation in these tests, and within which a message between two others must arrive meanwhile.
const (
	attackWait    = 8 * time.Second
	attackLatency = 20 * time.Second
)

// Accounts of ours that write to the attacker's domains.
var (
	remoteWriter  = peers.Account{User: "bob", Password: "secret of bob"}
	stalledWriter = peers.Account{User: "steve", Password: "secret of steve"}
	replayWriter  = peers.Account{User: "carol", Password: "secret of carol"}
)

// attacked is a server of ours that a foreign program attacks, and a Prosody that does nothing wrong. Only domains that are not below
// evil.example, or are not that Prosody, need a certificate.
type attacked struct {
	*federated
	good       *federated
	federation *peers.Federation
	foreign    *peers.ForeignServer
	keyFiles   *peers.Authority // valid for evil.example and domains below it
}

func startAttacked(t *testing.T) *attacked {
	t.Helper()
	f := peers.NewFederation(t)
	alice := peers.Account{User: "alice", Password: "secret of alice"}
	links := fmt.Sprintf("wait = %q\nwaiting_bytes = \"256 KiB\"\nqueue = \"1 MiB\"\n", attackWait)
	for _, d := range []string{"evil.example", "prosody.example", "mirror.example"} {
		links += fmt.Sprintf("\n[[federation_domain]]\ndomain = %q\nrequire_certificate = false\n", d)
	}
	d := peers.StartDragoman(t, peers.Options{
		Setup:  peers.Setup{Host: "dragoman.example", Accounts: []peers.Account{alice, remoteWriter, replayWriter, stalledWriter}, Federation: f},
		Links:  links,
		Limits: "stranger_messages = 10000",
	})
	a := &attacked{
		federated:  &federated{Server: &d.Server, name: "dragoman"},
		federation: f, foreign: peers.StartForeignServer(t),
		keyFiles: f.Certificate(t, t.TempDir(), "evil.example", "*.evil.example"),
	}
	good := peers.StartProsody(t, peers.Setup{Host: "prosody.example", Accounts: []peers.Account{alice, {User: "mallory", Password: "secret of mallory"}}, Federation: f, Dialback: true})
	a.good = &federated{Server: &good.Server, name: "prosody"}
	for _, s := range []*federated{a.federated, a.good} {
		s.user = s.login(t.Context(), t, alice)
		s.user.send("<presence/>")
		s.user.stanza("presence", "", s.user.full())
	}
	f.Announce(t, d.ServerAddr, "mirror.example") // it resolves to us
	return a
}

// serverHeader is the header of a stream between servers.
func serverHeader(attributes string) string {
	return "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams' " + attributes + ">"
}

const startTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"

// secured are the steps until TLS is in force and the features are known, for a server that says it is from.
func secured(from string, files ...any) []peers.Step {
	return securedTo(from, "dragoman.example", files...)
}

func securedTo(from, to string, files ...any) []peers.Step {
	head := serverHeader("from='" + from + "' to='" + to + "' version='1.0'")
	return []peers.Step{
		{"send", head}, {"until", "</stream:features>"}, {"send", startTLS}, {"until", "<proceed"},
		append(peers.Step{"tls"}, files...), {"send", head}, {"until", "</stream:features>"},
	}
}

// authenticated are the steps until the server of evil.example may send stanzas.
func (a *attacked) authenticated() []peers.Step {
	return append(secured("evil.example", a.keyFiles.CertFile, a.keyFiles.KeyFile),
		peers.Step{"send", externalAuth}, peers.Step{"until", "<success"}, peers.Step{"restart"},
		peers.Step{"send", serverHeader("from='evil.example' to='dragoman.example' version='1.0'")}, peers.Step{"until", "</stream:features>"})
}

const externalAuth = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>"

// forged is a message to an account of ours that must not arrive.
func forged(from string) string {
	return "<message from='" + from + "' to='alice@dragoman.example' type='chat'><body>forged</body></message>"
}

// attack is what a foreign server does on a connection, and all that must come on it.
type attack struct {
	name  string
	steps []peers.Step
	want  []string
}

func send(text string) []peers.Step { return []peers.Step{{"send", text}, {"rest"}} }

// withoutRight are attacks of those who have proved nothing.
func (a *attacked) withoutRight() []attack {
	notAuthorized, timeout := streamFault+"not-authorized", streamFault+"connection-timeout"
	open := func(attributes string) []peers.Step { return send(serverHeader(attributes)) }
	then := func(steps ...peers.Step) []peers.Step { return append(secured("evil.example"), steps...) }
	return []attack{
		{"our own domain as its own", open("from='dragoman.example' to='dragoman.example' version='1.0'"), []string{streamFault + "invalid-from"}},
		{"a domain that we do not serve", open("from='evil.example' to='bank.example' version='1.0'"), []string{streamFault + "host-unknown"}},
		{"the stream of a client", send("<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='dragoman.example' version='1.0'>"),
			[]string{streamFault + "invalid-namespace"}},
		{"a prefix that is not declared", send("<stream:stream xmlns='jabber:server' to='dragoman.example' version='1.0'>"), []string{streamFault + "not-well-formed"}},
		{"a document type", send("<!DOCTYPE x [<!ENTITY a 'b'>]>" + serverHeader("to='dragoman.example'")), []string{streamFault + "restricted-xml"}},
		{"no XML", send("GET / HTTP/1.1\r\n\r\n"), []string{streamFault + "not-well-formed"}},
		{"a stanza before TLS", send(serverHeader("from='evil.example' to='dragoman.example' version='1.0'") + forged("x@evil.example")), []string{notAuthorized}},
		{"a stanza before authentication", then(send(forged("x@evil.example"))...), []string{notAuthorized}},
		{"a valid result that nobody has asked for", then(send("<db:result from='evil.example' to='dragoman.example' type='valid'/>" + forged("x@evil.example"))...), []string{notAuthorized}},
		{"a valid verification that nobody has asked for", then(send("<db:verify from='prosody.example' to='dragoman.example' id='{id}' type='valid'/>" + forged("x@prosody.example"))...),
			[]string{notAuthorized}},
		{"a question about a forged key", then(peers.Step{"send", "<db:verify from='evil.example' to='dragoman.example' id='{id}'>0123456789abcdef</db:verify>"},
			peers.Step{"until", "<db:verify"}, peers.Step{"send", "</stream:stream>"}, peers.Step{"rest"}), []string{verifyElement + " invalid"}},
		{"a wrong key for another domain", append(secured("prosody.example"), send("<db:result from='prosody.example' to='dragoman.example'>0123456789abcdef</db:result>")...),
			[]string{resultElement + " invalid", notAuthorized}},
		{"a key for a domain that resolves to us", append(secured("mirror.example"), peers.Step{"send", "<db:result from='mirror.example' to='dragoman.example'>0123456789abcdef</db:result>"},
			peers.Step{"until", "</db:result>"}, peers.Step{"send", forged("x@mirror.example")}, peers.Step{"rest"}),
			[]string{resultElement + " error", stanzaFault + "remote-server-not-found", notAuthorized}},
		{"a key for our own domain", then(peers.Step{"send", "<db:result from='dragoman.example' to='dragoman.example'>0123456789abcdef</db:result>"},
			peers.Step{"until", "</db:result>"}, peers.Step{"send", forged("bob@dragoman.example")}, peers.Step{"rest"}),
			[]string{resultElement + " error", stanzaFault + "not-acceptable", notAuthorized}},
		{"an oversized key", then(send("<db:result from='evil.example' to='dragoman.example'>" + strings.Repeat("x", 100_000))...), []string{streamFault + "policy-violation"}},
		{"a header byte by byte", []peers.Step{{"drip", serverHeader("from='evil.example' to='dragoman.example' version='1.0'"), 0.5}, {"rest"}}, []string{timeout}},
		{"silence after TLS", then(peers.Step{"rest"}), []string{timeout}},
		{"a key byte by byte", then(peers.Step{"drip", "<db:result from='evil.example' to='dragoman.example'>0123456789abcdef", 1}, peers.Step{"rest"}), []string{timeout}},
		{"TLS that does not begin", []peers.Step{{"send", serverHeader("from='evil.example' to='dragoman.example' version='1.0'")}, {"until", "</stream:features>"},
			{"send", startTLS}, {"until", "<proceed"}, {"drip", strings.Repeat("\x16", 20), 1}, {"rest"}}, nil},
	}
}

// withRight are attacks of a server that may send stanzas from evil.example.
func (a *attacked) withRight() []attack {
	invalidFrom, policy := streamFault+"invalid-from", streamFault+"policy-violation"
	then := func(steps ...peers.Step) []peers.Step { return append(a.authenticated(), steps...) }
	return []attack{
		{"another domain", then(send(forged("alice@prosody.example"))...), []string{invalidFrom}},
		{"our own domain as the sender's", then(send(forged("bob@dragoman.example"))...), []string{invalidFrom}},
		{"the receiver's own address", then(send(forged("alice@dragoman.example/desk"))...), []string{invalidFrom}},
		{"a domain below ours", then(send(forged("room@conference.dragoman.example"))...), []string{invalidFrom}},
		{"a domain below its own", then(send(forged("x@below.evil.example"))...), []string{invalidFrom}},
		{"a domain that ends alike", then(send(forged("x@notevil.example"))...), []string{invalidFrom}},
		{"no sender", then(send("<message to='alice@dragoman.example'><body>forged</body></message>")...), []string{streamFault + "improper-addressing"}},
		{"a receiver of another server", then(send("<message from='x@evil.example' to='alice@prosody.example'><body>forged</body></message>")...), []string{invalidFrom}},
		{"a contact list of a remote sender", then(peers.Step{"send", "<iq from='x@evil.example' to='alice@dragoman.example/desk' type='set' id='push'><query xmlns='jabber:iq:roster'>" +
			"<item jid='x@evil.example' subscription='both'/></query></iq>"}, peers.Step{"send", "</stream:stream>"}, peers.Step{"rest"}), nil},
		{"an oversized stanza", then(send("<message from='x@evil.example' to='alice@dragoman.example'><body>" + strings.Repeat("x", 600_000))...), []string{policy}},
		{"a stanza of too many elements", then(send("<message from='x@evil.example' to='alice@dragoman.example'>" + strings.Repeat("<x/>", 10_000))...), []string{policy}},
		{"a stanza that is too deep", then(send("<message from='x@evil.example' to='alice@dragoman.example'>" + strings.Repeat("<x>", 1000))...), []string{policy}},
		{"an entity", then(send("<message from='x@evil.example' to='alice@dragoman.example'><body>&forged;</body></message>")...), []string{streamFault + "restricted-xml"}},
		{"a prefix that is not declared in a stanza", then(send("<message from='x@evil.example' to='alice@dragoman.example'><body>forged</body><x:y/></message>")...),
			[]string{streamFault + "not-well-formed"}},
		{"tags that do not match", then(send("<message from='x@evil.example' to='alice@dragoman.example'><body>forged</message>")...), []string{streamFault + "not-well-formed"}},
		{"a stanza of clients", then(send("<message xmlns='jabber:client' from='x@evil.example' to='alice@dragoman.example'><body>forged</body></message>")...),
			[]string{streamFault + "invalid-namespace"}},
		{"an unknown element", then(send("<forged/>")...), []string{streamFault + "unsupported-stanza-type"}},
		{"a stanza that does not end", then(peers.Step{"send", "<message from='x@evil.example' to='alice@dragoman.example'><body>forged"}, peers.Step{"close"}), nil},
		{"a stanza byte by byte", then(peers.Step{"drip", "<message from='x@evil.", 0.3}, peers.Step{"close"}), nil},
		{"a stream error", then(send("<stream:error><undefined-condition xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>")...), nil},
		{"a key for a domain whose certificate it does not have", then(peers.Step{"send", "<db:result from='prosody.example' to='dragoman.example'>0123456789abcdef</db:result>"},
			peers.Step{"until", "</db:result>"}, peers.Step{"send", forged("x@prosody.example")}, peers.Step{"rest"}),
			[]string{resultElement + " error", invalidFrom}},
	}
}

// badCertificates are attacks by certificates that are not valid for the domain.
func (a *attacked) badCertificates(t *testing.T) []attack {
	var list []attack
	for _, fault := range certificateFaults {
		c := fault.files(t, a.federation, "strict.example")
		steps := append(secured("strict.example", c.CertFile, c.KeyFile), peers.Step{"send", externalAuth}, peers.Step{"until", "</failure>"},
			peers.Step{"send", "<db:result from='strict.example' to='dragoman.example'>0123456789abcdef</db:result>"}, peers.Step{"until", "</db:result>"},
			peers.Step{"send", forged("x@strict.example")}, peers.Step{"rest"})
		list = append(list, attack{"a certificate that is " + fault.name, steps,
			[]string{loginFault + "invalid-mechanism", resultElement + " error", stanzaFault + "not-authorized", streamFault + "not-authorized"}})
	}
	return list
}

// certificateFaults are certificates that nobody may accept for a domain.
var certificateFaults = []struct {
	name  string
	files func(t *testing.T, f *peers.Federation, domain string) *peers.Authority
}{
	{"of another domain", func(t *testing.T, f *peers.Federation, _ string) *peers.Authority {
		return f.Certificate(t, t.TempDir(), "other.example")
	}},
	{"for the domains below it", func(t *testing.T, f *peers.Federation, d string) *peers.Authority {
		return f.Certificate(t, t.TempDir(), "*."+d)
	}},
	{"expired", func(t *testing.T, f *peers.Federation, d string) *peers.Authority {
		return f.CertificateFor(t, t.TempDir(), peers.Expired(), d)
	}},
	{"not yet valid", func(t *testing.T, f *peers.Federation, d string) *peers.Authority {
		return f.CertificateFor(t, t.TempDir(), peers.NotYetValid(), d)
	}},
	{"signed by itself", func(t *testing.T, _ *peers.Federation, d string) *peers.Authority {
		return peers.NewAuthority(t, t.TempDir(), d)
	}},
	{"signed by another authority", func(t *testing.T, _ *peers.Federation, d string) *peers.Authority {
		return peers.NewFederation(t).Certificate(t, t.TempDir(), d)
	}},
}

// TestFederationAttacks has a program that is not ours do what no server may do: each attempt is refused with the condition that the
// specification names, nothing reaches an account, and meanwhile the users of two servers that do nothing wrong write to each other.
func TestFederationAttacks(t *testing.T) { // checklist 106, 107, 108, 110
	t.Parallel()
	a := startAttacked(t)
	chat := startServerChat(t, a.federated, a.good)
	var all sync.WaitGroup // subtests would wait for each other
	for _, list := range [][]attack{a.withoutRight(), a.withRight(), a.badCertificates(t)} {
		for _, c := range list {
			all.Go(func() { a.try(t, c) })
		}
	}
	wrong := a.announceWrongServers(t)
	all.Go(func() { a.replayKey(t, replayingDomains[0], a.federated, a.good) })
	all.Go(func() { a.replayKey(t, replayingDomains[1], a.good, a.federated) })
	a.writeToReplaying(t)
	a.writeToWrongServers(t, wrong)
	a.writeToStalled(t)
	all.Wait()
	chat.end(t)
}

// try carries out an attack.
func (a *attacked) try(t *testing.T, c attack) {
	ctx, cancel := context.WithTimeout(t.Context(), federationTimeout)
	defer cancel()
	got, err := a.foreign.Dial(ctx, a.ServerAddr, c.steps...)
	if err != nil {
		t.Errorf("%s: %v", c.name, err)
		return
	}
	checkReceived(t, c.name, got, c.want)
}

// checkReceived checks that what came is well-formed, that the connection was closed, and that all wanted elements came.
func checkReceived(t *testing.T, name string, got peers.Received, want []string) {
	t.Helper()
	if got.Fault != "" || got.Ended == "timeout" {
		t.Errorf("%s: %s: %s", name, got.Ended, got.Fault)
	}
	for _, w := range want {
		if !got.Has(w) {
			t.Errorf("%s: no %s in %q, %s: %s", name, w, got.Names, got.Ended, got.Text)
		}
	}
}

// serverChat are messages between users of two servers, one after the other in each direction.
type serverChat struct {
	ended    chan struct{}
	all      sync.WaitGroup
	messages int
	slowest  time.Duration
	fault    error
}

// connectServers has the servers connect, in both directions.
func connectServers(a, b *federated) {
	for _, pair := range [][2]*federated{{a, b}, {b, a}} {
		pair[0].user.send("<message to='%s' type='chat' id='first'><body>first</body></message>", pair[1].user.full())
		pair[1].user.await("the first message", func(e *xmltree.Element) bool { return e.ChildText("body") == "first" && e.Attr("type") == "chat" })
	}
}

func startServerChat(t *testing.T, a, b *federated) *serverChat {
	t.Helper()
	connectServers(a, b)
	c := &serverChat{ended: make(chan struct{})}
	c.all.Go(func() { c.run(t.Context(), a.user, b.user) })
	return c
}

func (c *serverChat) run(ctx context.Context, from, to *remoteUser) {
	pause := time.NewTicker(20 * time.Millisecond)
	defer pause.Stop()
	for ; c.fault == nil; c.messages++ {
		select {
		case <-c.ended:
			return
		case <-pause.C:
		}
		begun := time.Now()
		c.fault = pass(ctx, from, to, fmt.Sprint("number ", c.messages))
		c.slowest = max(c.slowest, time.Since(begun))
		from, to = to, from
	}
}

// pass sends a message, which must be the next that the receiver gets.
func pass(ctx context.Context, from, to *remoteUser, text string) error {
	ctx, cancel := context.WithTimeout(ctx, attackLatency)
	defer cancel()
	if err := from.conn.Send(fmt.Sprintf("<message to='%s' type='chat' id='%s'><body>%[2]s</body></message>", to.full(), text)); err != nil {
		return err
	}
	e, err := to.conn.Next(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", text, err)
	}
	if e.ChildText("body") != text || e.Attr("from") != from.full() {
		return fmt.Errorf("%s got %s instead of %s", to.jid, e, text)
	}
	return nil
}

func (c *serverChat) end(t *testing.T) {
	t.Helper()
	close(c.ended)
	c.all.Wait()
	if c.fault != nil || c.messages == 0 {
		t.Errorf("after %d messages: %v", c.messages, c.fault)
	}
	t.Logf("%d messages, the slowest took %v", c.messages, c.slowest)
}
