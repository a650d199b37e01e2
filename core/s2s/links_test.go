package s2s

import (
	"fmt"
	"testing"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/outbound"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// checklist 106, 107
func TestLinks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		direct   bool
		dialback bool
		plain    bool
	}{
		"certificates":             {},
		"certificates, direct TLS": {direct: true},
		"dialback":                 {dialback: true},
		"dialback, direct TLS":     {dialback: true, direct: true},
		"dialback, TLS not needed": {dialback: true, plain: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t)
			change := func(domain string) func(*Config) {
				return func(o *Config) {
					if c.dialback {
						selfSigned(t, domain)(o)
					}
					o.Policy.Default.Plain = c.plain
				}
			}
			a, b := newNode(t, n, "a.test", change("a.test")), newNode(t, n, "b.test", change("b.test"))
			if c.direct {
				n.set("a.test", host{addr: a.addrTLS, direct: true})
				n.set("b.test", host{addr: b.addrTLS, direct: true})
			}
			for i := range 3 {
				a.send("juliet@b.test", "romeo@a.test/x", fmt.Sprint("there ", i))
				b.send("romeo@a.test", "juliet@b.test/y", fmt.Sprint("back ", i))
			}
			for i := range 3 {
				b.wants("romeo@a.test/x", fmt.Sprint("there ", i))
				a.wants("juliet@b.test/y", fmt.Sprint("back ", i))
			}
			if in, out := a.server.Counters.In.Load(), a.server.Counters.Out.Load(); in != 1 || out != 1 {
				t.Errorf("%d connections in and %d out", in, out)
			}
			a.shutdown()
			rawstream.Eventually(t, "b has no connection", func() bool { return b.server.Counters.In.Load() == 0 && b.server.Counters.Out.Load() == 0 })
			a.quiet()
			b.quiet()
		})
	}
}

// A connection carries further domains of the same server, in order for each pair.
func TestSeveralDomainsOnOneConnection(t *testing.T) { // checklist 108
	t.Parallel()
	for name, dialback := range map[string]bool{"certificates": false, "dialback": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t)
			change := func(o *Config) {
				o.Limits.Resume = -1 // a stream that can be resumed is for one pair
				if dialback {
					selfSigned(t, "a.test")(o)
				}
			}
			a, b := newNode(t, n, "a.test", change), newNode(t, n, "b.test", nil)
			a.serve("rooms.a.test")
			n.set("rooms.a.test", host{addr: a.addr})
			a.send("juliet@b.test", "romeo@a.test/x", "first")
			b.wants("romeo@a.test/x", "first")
			for i := range 5 {
				a.send("juliet@b.test", "room@rooms.a.test/x", fmt.Sprint("second ", i))
			}
			for i := range 5 {
				b.wants("room@rooms.a.test/x", fmt.Sprint("second ", i))
			}
			if got := n.count("b.test"); got != 1 {
				t.Errorf("%d connections", got)
			}
		})
	}
}

// Each stanza that cannot be sent is returned to its sender, once; answers and presence are not.
func TestReturned(t *testing.T) { // checklist 109
	t.Parallel()
	n := newNetwork(t)
	closed := rawstreamClosed(t)
	n.set("closed.test", host{addr: closed})
	n.set("self.test", host{}) // see below
	a := newNode(t, n, "a.test", func(o *Config) { o.Policy.Domains = map[string]Rule{"blocked.test": {Refused: true}} })
	n.set("self.test", host{addr: a.addr})
	for domain, condition := range map[string]string{
		"missing.test": "remote-server-not-found", "closed.test": "remote-server-timeout", "self.test": "remote-server-not-found",
		"blocked.test": "not-allowed", "below.blocked.test": "not-allowed",
	} {
		to, from := jid.MustParse("juliet@"+domain), jid.MustParse("romeo@a.test/x")
		presence := stanza.NewPresence(to, from, "")
		a.router.Route(presence)
		a.router.Route(stanza.NewPresence(to, from, stanza.TypeUnavailable))
		a.router.Route(stanza.NewPresence(to, from, stanza.TypeProbe))
		iq := stanza.NewIQ(from, to, stanza.TypeGet, stanza.NewElement("urn:xmpp:ping", "ping"))
		a.router.Route(iq.Result())
		a.router.Route(iq.ErrorReply(stanza.ServiceUnavailable("")))
		for range 2 { // the second one comes during the back-off
			a.send("juliet@"+domain, "romeo@a.test/x", "lost")
			a.wantsError("lost", condition)
		}
	}
	subscribe := stanza.NewPresence(jid.MustParse("juliet@missing.test"), jid.MustParse("romeo@a.test"), stanza.TypeSubscribe)
	subscribe.ID = "subscribe"
	a.router.Route(subscribe)
	a.wantsError("subscribe", "remote-server-not-found")
	a.quiet()
}

// rawstreamClosed returns an address at which nobody listens.
func rawstreamClosed(t *testing.T) string {
	t.Helper()
	dialled, _ := rawstream.Pair(t)
	addr := dialled.RemoteAddr().String()
	return addr
}

// Domains that never answer do not delay one that does. When the server stops, what is not on the disk goes back.
func TestManySilentDomains(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a, b := newNode(t, n, "a.test", withoutOutbox), newNode(t, n, "b.test", nil)
	for i := range 1000 {
		domain := fmt.Sprintf("d%d.test", i)
		n.set(domain, host{hangs: true})
		a.send("x@"+domain, "romeo@a.test/x", "never")
	}
	a.send("juliet@b.test", "romeo@a.test/x", "now")
	b.wants("romeo@a.test/x", "now")
	a.quiet()
	a.shutdown()
	for range 1000 {
		a.wantsError("never", "remote-server-timeout")
	}
	a.quiet()
}

// What a connection has left that ends after its link has another one goes over that one.
func TestLeftByAnEarlierConnection(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	a, b := newNode(t, n, "a.test", nil), newNode(t, n, "b.test", nil)
	a.send("juliet@b.test", "romeo@a.test/x", "1")
	b.wants("romeo@a.test/x", "1")
	message := func(text string) *stanza.Stanza {
		return stanza.NewMessage(jid.MustParse("juliet@b.test"), jid.MustParse("romeo@a.test/x"), stanza.TypeChat,
			stanza.TextElement(stanza.NSClient, "body", text))
	}
	l := a.server.links.find(pair{ours: "a.test", theirs: "b.test"})
	l.down(&carrier{}, ending{unsent: []outbound.Retained{{Stanza: message("unsent")}}})
	b.wants("romeo@a.test/x", "unsent")
	m := a.server.newManagement()
	m.id = "earlier"
	m.list.Add(message("not acknowledged"))
	l.keepManagement(m)
	l.down(&carrier{}, ending{})
	b.wants("romeo@a.test/x", "not acknowledged")
	a.send("juliet@b.test", "romeo@a.test/x", "2")
	b.wants("romeo@a.test/x", "2")
}
