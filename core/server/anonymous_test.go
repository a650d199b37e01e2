package server

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

// withGuests are settings with a domain for clients without an account, at most two from one address.
var withGuests = extra{
	limits: "connections = 0\nnew_connections = 0\nanonymous_sessions = 2",
	upload: "[anonymous]\nhosts = [\"guests.test\"]\nallow = [\"home.test\"]",
}

// guest is a connection to the domain for clients without an account, after the features.
func (p *testServer) guest() *peer {
	p.t.Helper()
	c := p.dial(p.server.ports.c2s[0])
	c.Send(head("jabber:client", "guests.test"))
	c.Until("</stream:features>")
	c.Send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
	c.Until("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
	c.TLS(anyTLS)
	c.Send(head("jabber:client", "guests.test"))
	if got := c.Until("</stream:features>"); strings.Count(got, "<mechanism>") != 2 || strings.Count(got, "<mechanism>ANONYMOUS</mechanism>") != 2 ||
		strings.Contains(got, "fast:0") || strings.Contains(got, "upgrade") {
		p.t.Errorf("offered %q", got)
	}
	return c
}

const anonymous2 = "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='ANONYMOUS'><bind xmlns='urn:xmpp:bind:0'/></authenticate>"

// enter logs in and returns the full address.
func (c *peer) enter() string {
	c.T.Helper()
	c.Send(anonymous2)
	_, rest, _ := strings.Cut(c.Until("</success>"), "<authorization-identifier>")
	who, _, _ := strings.Cut(rest, "<")
	c.Until("</stream:features>")
	return who
}

// The address is a random UUID of this connection, whether the login is of RFC 6120 or SASL2 (XEP-0175 §2).
func TestAnonymous(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, withGuests)
	first := p.guest()
	one := first.enter()
	second := p.guest()
	second.Send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>")
	second.Until("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
	second.Send(head("jabber:client", "guests.test"))
	second.Until("</stream:features>")
	second.Send(bindX)
	_, two, _ := strings.Cut(second.Until("</jid>"), "<jid>")
	two = strings.TrimSuffix(two, "</jid>")
	second.Until("</iq>")
	name, _, ok := strings.Cut(one, "@guests.test/")
	if !ok || len(name) != 36 || name[14] != '4' || strings.HasPrefix(two, name) || !strings.HasSuffix(two, "@guests.test/x") {
		t.Errorf("addresses %q and %q", one, two)
	}
	second.Send("<iq type='set' id='again'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
	second.Until("<not-allowed")
	// The third from the address is refused until one has left.
	third := p.guest()
	third.Send(anonymous2)
	third.Until("<failure xmlns='urn:xmpp:sasl:2'><temporary-auth-failure")
	if n := p.count("limits.anonymous_sessions"); n != 1 {
		t.Errorf("counted %d", n)
	}
	first.Send("</stream:stream>")
	first.Until("</stream:stream>")
	rawstream.Eventually(t, "1 accounts", func() bool { return p.server.anonymous[0].accounts.Count() == 1 })
	third.enter()
}

// A login with wrong data makes no account, and an account of a login without a session ends with its connection.
func TestAnonymousRefused(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, withGuests)
	for _, trace := range []string{strings.Repeat("x", 256), "\xff"} {
		c := p.guest()
		c.Send(auth("ANONYMOUS", trace))
		c.Until("<malformed-request")
	}
	c := p.guest()
	c.Send(plainAuth("romeo", "romeo"))
	c.Until("<invalid-mechanism")
	c = p.guest()
	c.Send(auth("ANONYMOUS", "trace@example.org"))
	c.Until("<success")
	_ = c.Conn.Close()
	c = p.encrypted()
	c.Send(auth("ANONYMOUS", ""))
	c.Until("<invalid-mechanism")
	rawstream.Eventually(t, "0 accounts", func() bool { return p.server.anonymous[0].accounts.Count() == 0 })
}

// Nothing of a client without an account is in the database, whatever it sends. What others keep is theirs.
func TestAnonymousIsNotStored(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, withGuests)
	romeo := p.online("romeo")
	c, other := p.guest(), p.guest()
	who, peer := c.enter(), other.enter()
	bare, _, _ := strings.Cut(who, "/")
	for i, request := range []string{
		"<query xmlns='jabber:iq:roster'><item jid='romeo@home.test'/></query>", "<vCard xmlns='vcard-temp'><FN>x</FN></vCard>",
		"<query xmlns='jabber:iq:private'><x xmlns='x'/></query>", "<block xmlns='urn:xmpp:blocking'><item jid='x@x.test'/></block>",
		"<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:x'><item><x xmlns='urn:x'/></item></publish></pubsub>",
		"<prefs xmlns='urn:xmpp:mam:2' default='always'/>", "<enable xmlns='urn:xmpp:push:0' jid='push.home.test' node='x'/>",
		"<query xmlns='jabber:iq:register'><remove/></query>", "<query xmlns='jabber:iq:register'><username>x</username><password>x</password></query>",
		"<revoke xmlns='urn:xmpp:cam:0' id='x'/>",
	} {
		c.Send(fmt.Sprintf("<iq type='set' id='r%d' to='%s'>%s</iq>", i, bare, request))
		if got := c.Until("</iq>"); !strings.Contains(got, fmt.Sprintf("id='r%d'", i)) || !strings.Contains(got, "<error") {
			t.Errorf("%s: %s", request, got)
		}
	}
	c.Send("<presence/><presence to='" + peer + "'/><message to='" + peer + "' type='chat'><body>between guests</body></message>")
	other.Until("between guests")
	c.Send("<message to='romeo@home.test' type='chat'><body>to an account</body></message>")
	romeo.Until("to an account")
	c.Send("<presence type='unavailable'/></stream:stream>")
	c.Until("</stream:stream>")
	romeo.Send("<message to='" + bare + "' type='chat' id='late'><body>too late</body></message>")
	romeo.Until("id='late'")
	romeo.Until("<service-unavailable")
	p.stop()
	db := storetest.DB(t, p.server.config.Server.Data)
	for table, columns := range storetest.Tables(t, db) {
		for _, column := range columns {
			var n int
			query := fmt.Sprintf("SELECT count(*) FROM %s WHERE CAST(%s AS TEXT) LIKE ?", table, column)
			if err := db.QueryRowContext(t.Context(), query, "%"+bare+"%").Scan(&n); err != nil {
				t.Fatal(err)
			}
			if n > 0 && !strings.HasPrefix(table, "archive") { // of romeo
				t.Errorf("%s.%s has %d rows", table, column, n)
			}
		}
	}
	var n int
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM archive_accounts WHERE account LIKE '%guests.test'").Scan(&n); err != nil || n > 0 {
		t.Errorf("%d archives: %v", n, err)
	}
}

// An account of a connection that is cut ends at once: nothing is kept for a session that could not be resumed.
func TestAnonymousIsNotResumed(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, withGuests)
	c := p.guest()
	c.Send(strings.Replace(anonymous2, "<bind xmlns='urn:xmpp:bind:0'/>", "<bind xmlns='urn:xmpp:bind:0'><enable xmlns='urn:xmpp:sm:3' resume='true'/></bind>", 1))
	c.Until("<enabled xmlns='urn:xmpp:sm:3'/>")
	c.Until("</stream:features>")
	_ = c.Conn.Close()
	rawstream.Eventually(t, "0 accounts", func() bool { return p.server.anonymous[0].accounts.Count() == 0 })
}
