package server

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/identity/identitytest"
)

// TestDirectoryCards shows what a directory knows about people as their vCards, until they have stored one of their own.
func TestDirectoryCards(t *testing.T) {
	t.Parallel()
	slapd := identitytest.StartSlapd(t, identitytest.LDAPPerson{UID: "ann", Password: "pencil", More: [][2]string{{"displayName", "Ann Example"}, {"telephoneNumber", "+49 30 1"}}})
	section := fmt.Sprintf("[[ldap]]\nurl = %q\nca = %q\nbind_dn = %q\npassword = %q\nbase = %q\nfind = true\ntimeout = \"20s\"\n",
		slapd.Secure, slapd.Authority.File, identitytest.ServiceDN, identitytest.ServicePassword, identitytest.Base)
	const ask = "<iq type='get' id='%s' to='%s'><%s/></iq>"
	for mode, after := range map[string]string{"own": "<FN>Annie</FN>", "directory": "<FN>Ann Example</FN>"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			p := newTestServer(t, extra{component: section + fmt.Sprintf("vcard = %q\n", mode)})
			defer p.stop()
			romeo := p.online("romeo")
			get := func(c *peer, id, to, what string) string {
				c.Send(fmt.Sprintf(ask, id, to, what))
				text := c.Until("</iq>")
				return text[strings.LastIndex(text, "<iq "):]
			}
			if got := get(romeo, "1", "ann@home.test", "vCard xmlns='vcard-temp'"); !strings.Contains(got, "<FN>Ann Example</FN>") || !strings.Contains(got, "<NUMBER>+49 30 1</NUMBER>") {
				t.Error(got)
			}
			if got := get(romeo, "2", "ann@home.test", "vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'"); !strings.Contains(got, "<fn><text>Ann Example</text></fn>") {
				t.Error(got)
			}
			const node = "pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:vcard4'/></pubsub"
			items := func(c *peer, id, to string) string {
				c.Send("<iq type='get' id='" + id + "'" + to + "><" + node + "></iq>")
				text := c.Until("</iq>")
				return text[strings.LastIndex(text, "<iq "):]
			}
			if got := items(romeo, "n1", " to='ann@home.test'"); !strings.Contains(got, "<item id='current'>") || !strings.Contains(got, "<fn><text>Ann Example</text></fn>") {
				t.Error(got)
			}
			if got := get(romeo, "3", "nobody@home.test", "vCard xmlns='vcard-temp'"); !strings.Contains(got, "<service-unavailable ") {
				t.Error(got)
			}
			ann := p.encrypted()
			ann.Send(plainAuth("ann", "pencil"))
			ann.Until("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
			ann.Send(head("jabber:client", "home.test"))
			ann.Until("</stream:features>")
			ann.Send(bindX)
			ann.Until("</jid></bind></iq>")
			if got := items(ann, "n2", ""); !strings.Contains(got, "Ann Example") {
				t.Error(got)
			}
			ann.Send("<iq type='set' id='4'><vCard xmlns='vcard-temp'><FN>Annie</FN></vCard></iq>")
			ann.Until("id='4'")
			if got := get(romeo, "5", "ann@home.test", "vCard xmlns='vcard-temp'"); !strings.Contains(got, after) {
				t.Error(got)
			}
			name, _, _ := strings.Cut(strings.TrimPrefix(after, "<FN>"), "<")
			if got := items(romeo, "n3", " to='ann@home.test'"); !strings.Contains(got, "<text>"+name+"</text>") {
				t.Error(got)
			}
		})
	}
}
