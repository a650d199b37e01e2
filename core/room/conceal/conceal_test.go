package conceal

import (
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

func TestStanza(t *testing.T) { // XEP-0045 §17.4
	t.Parallel()
	real, shown := jid.MustParse("mem@example.org/phone"), jid.MustParse("coven@chat.example/mem")
	const version = "<query xmlns='jabber:iq:version'><name>x</name></query>"
	for in, want := range map[string]string{
		version:                                version,
		"<a xmlns='x' jid='mem@example.org'/>": "<a xmlns='x' jid='coven@chat.example/mem'/>",
		"<a xmlns='x' jid='Mem@Example.ORG/phone'/>":             "<a xmlns='x' jid='coven@chat.example/mem'/>",
		"<a xmlns='x'>mem@example.org/a b, mem@example.org.</a>": "<a xmlns='x'>coven@chat.example/mem b, coven@chat.example/mem.</a>",
		"<a xmlns='x'><b>xmpp:mem@example.org?message</b></a>":   "<a xmlns='x'><b>xmpp:coven@chat.example/mem?message</b></a>",
		"<a xmlns='x'>&#109;em@example.org</a>":                  "<a xmlns='x'>coven@chat.example/mem</a>",
		"<a xmlns='x'>joe@example.org</a>":                       "<a xmlns='x'>joe@example.org</a>",
		"<error by='example.org' type='cancel'/>":                "<error type='cancel'/>",
		"<a xmlns='x'>\u0130\u0130 mem@example.org</a>":          "<a xmlns='x'>\u0130\u0130 coven@chat.example/mem</a>",
	} {
		st := &stanza.Stanza{Kind: stanza.IQ, Type: stanza.TypeResult, Payload: in}
		if in[:2] == "<e" {
			st.Type = stanza.TypeError
		}
		if got := Stanza(st, real, shown).Payload; got != want {
			t.Errorf("%s becomes %s, want %s", in, got, want)
		}
		if st.Payload != in {
			t.Errorf("%s was changed", in)
		}
	}
}
