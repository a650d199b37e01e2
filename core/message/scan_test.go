package message

import (
	"strings"
	"testing"
)

func TestMayName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		xml, account string
		want         bool
	}{
		{`<body>x</body><stanza-id xmlns='urn:xmpp:sid:0' by='room@muc.example' id='1'/>`, "a@b.c", false},
		{`<body>été &amp; a@b.c</body><stanza-id xmlns='urn:xmpp:sid:0' by='room@muc.example' id='1'/>`, "a@b.c", false},
		{`<body>a@b.c</body>`, "a@b.c", false},
		{`<stanza-id xmlns='urn:xmpp:sid:0' by='a@b.c' id='1'/>`, "a@b.c", true},
		{`<stanza-id xmlns='urn:xmpp:sid:0' by='A@B.C.' id='1'/>`, "a@b.c", true},
		{`<stanza-id xmlns='urn:xmpp:sid:0' by='&#x61;@b.c' id='1'/>`, "a@b.c", true},
		{`<stanza-id xmlns='urn:xmpp:sid:0' by='ａ@b.c' id='1'/>`, "a@b.c", true},
		{`<stanza-id xmlns='urn:xmpp:sid:0' by='a@xn--mnchen-3ya.de' id='1'/>`, "a@münchen.de", true},
		{`<p:stanza-id xmlns:p='urn:xmpp:sid:0' id='>' by="a@b.c"/>`, "a@b.c", true},
		{`<p:stanza-id xmlns:p='urn:xmpp:sid:0' id="'>" by="a@b.c"></p:stanza-id>`, "a@b.c", true},
		{`<body>what's a stanza-id</body><stanza-id xmlns='urn:xmpp:sid:0' by='a@b.c' id='1'/>`, "a@b.c", true},
		{`<stanza-id xmlns='urn:xmpp:sid:0' by='room@muc.example' id='1'/><stanza-id xmlns='urn:xmpp:sid:0' by='a@b.c' id='1'/>`, "a@b.c", true},
		{strings.Repeat(`<stanza-id xmlns='urn:xmpp:sid:0' by='room@muc.example' id='1'/>`, maxStanzaIDs), "a@b.c", true}, // so many are read as XML
		{strings.Repeat("stanza-id", 100_000), "a@b.c", true},                                                             // as is what would take long
	} {
		if got := mayHaveStanzaID(c.xml, c.account); got != c.want {
			t.Errorf("%.300s: %v", c.xml, got)
		}
	}
}
