package server

import (
	"context"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
)

// registers asks for an account before login and returns the answer.
func (p *testServer) registers(name string) string {
	p.t.Helper()
	c := p.encrypted()
	c.Send("<iq type='set' id='r'><query xmlns='jabber:iq:register'><username>" + name + "</username><password>mine</password></query></iq>")
	return c.Until("id='r'") + c.upToIQ()
}

// Names to which the configuration gives rights or a role cannot be taken by the first who asks for them, nor when their account
// was deleted. The answer is that of a name that is taken.
func TestReservedNames(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{server: `register = true
admins = ["boss@home.test", "Chief@HOME.test", "boss@elsewhere.test"]
contacts = ["xmpp:desk@home.test", "mailto:Mail@home.test", "https://home.test/abuse"]
reserved = ["postmaster", "Operator"]
[gateway]
users = ["guest@home.test", "home.test", "*@other.test"]`})
	for _, name := range []string{
		"boss", "BOSS", "\uFF42oss", "chief", "desk", "mail", "postmaster", "operator", "guest", "romeo",
	} {
		if got := p.registers(name); !strings.Contains(got, "<conflict ") {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := p.registers("support"); !strings.Contains(got, "type='result'") { // reserved only by the default
		t.Errorf("support: %s", got)
	}
	p.account("boss") // as the command line does
	p.online("boss")
	if err := p.server.store.RemoveAccount(context.Background(), jid.MustParse("boss@home.test")); err != nil {
		t.Fatal(err)
	}
	p.server.wakeRemovals(jid.JID{})
	p.gone("boss")
	if got := p.registers("boss"); !strings.Contains(got, "<conflict ") {
		t.Errorf("boss, after the account was deleted: %s", got)
	}
}

// A deleted account's rights in the rosters of others go with it, also those that no stanza ends: whoever gets the name next is
// not subscribed, not approved beforehand, and has no request waiting.
func TestRightsInRostersEnd(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, extra{})
	romeo, juliet, nurse := p.online("romeo"), p.online("juliet"), p.online("nurse")
	juliet.ask("get", "", "<query xmlns='jabber:iq:roster'/>")
	juliet.ask("set", "", "<query xmlns='jabber:iq:roster'><item jid='romeo@home.test' name='R'/></query>")
	juliet.Send("<presence type='subscribed' to='romeo@home.test'/>") // pre-approval, RFC 6121 §3.4
	juliet.Until("approved='true'")
	romeo.Send("<presence type='subscribe' to='nurse@home.test'/>")
	nurse.Until("type='subscribe'")
	if err := p.server.store.RemoveAccount(context.Background(), jid.MustParse("romeo@home.test")); err != nil {
		t.Fatal(err)
	}
	p.server.wakeRemovals(jid.JID{})
	p.gone("romeo")
	juliet.ping()
	if got := juliet.ask("get", "", "<query xmlns='jabber:iq:roster'/>"); strings.Contains(got, "approved") || !strings.Contains(got, "name='R'") {
		t.Errorf("juliet's roster: %s", got)
	}
	p.account("romeo")
	again := p.online("romeo")
	again.Send("<presence type='subscribe' to='juliet@home.test'/>")
	if got := juliet.Until("from='romeo@home.test'"); strings.Contains(got, "subscription='from'") {
		t.Errorf("juliet: %s", got)
	}
	nurse.Send("<presence type='subscribed' to='romeo@home.test'/>") // an answer to the one before
	nurse.ping()
	if got := again.ask("get", "", "<query xmlns='jabber:iq:roster'/>"); strings.Contains(got, "subscription='to'") {
		t.Errorf("romeo's roster: %s", got)
	}
}
