package store

import (
	"encoding/xml"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// What is kept comes back with the same meaning, and kept again with the same bytes.
func TestStanzasComeBack(t *testing.T) {
	t.Parallel()
	for _, st := range []*stanza.Stanza{
		{Kind: stanza.Message},
		{
			Kind: stanza.Message, To: alice, From: jid.MustParse("bob@example.org/<'&"), ID: "a'\"<>&\n", Type: stanza.TypeChat, Lang: "de",
			Extra:   " xmlns:p='urn:p' p:q='1' r='2&amp;'",
			Payload: "<body>a &lt; &#x42;<![CDATA[<c>]]>\r\n</body><p:x y='&quot;'><z xmlns=''/></p:x><thread parent='1'/>",
		},
		{Kind: stanza.Presence, From: bob, To: alice, Type: stanza.TypeSubscribe, Payload: "<status xml:lang='en'>♚</status>"},
	} {
		back, err := stanza.Parse(encodeStanza(st))
		if err != nil {
			t.Fatalf("%s: %v", st, err)
		}
		if back.Kind != st.Kind || back.To != st.To || back.From != st.From || back.ID != st.ID || back.Type != st.Type || back.Lang != st.Lang || back.Body() != st.Body() {
			t.Errorf("%s\n%s", st, back)
		}
		if v, _ := back.Tree().LookupAttr("urn:p", "q"); st.Extra != "" && (v != "1" || back.Tree().Attr("r") != "2&" || back.Child("urn:p", "x").Attr("y") != `"`) {
			t.Errorf("%s", back)
		}
		again, err := stanza.Parse(encodeStanza(back))
		if err != nil || again.String() != back.String() {
			t.Errorf("%s\n%s\n%v", back, again, err)
		}
	}
	for _, bad := range []string{"", "<message", "<message to='@'/>", "<message from='a@b@c/'/>"} {
		if st, err := stanza.Parse(bad); err == nil {
			t.Errorf("%q read as %s", bad, st)
		}
	}
}

// Payloads are checked XML by contract; what encoding/xml refuses is not worth keeping.
func FuzzStanza(f *testing.F) {
	f.Add("<body>x</body><a xmlns='urn:a' b='c'/>")
	f.Add("<p:a xmlns:p='urn:p' p:b='&#x42;'><![CDATA[<]]></p:a>")
	f.Fuzz(func(t *testing.T, payload string) {
		st := &stanza.Stanza{Kind: stanza.Message, To: alice, From: bob, Payload: payload}
		if xml.Unmarshal([]byte(encodeStanza(st)), new(struct{})) != nil {
			return
		}
		first, err := stanza.Parse(encodeStanza(st))
		if err != nil {
			return
		}
		if xml.Unmarshal([]byte(encodeStanza(first)), new(struct{})) != nil {
			return
		}
		second, err := stanza.Parse(encodeStanza(first))
		if err != nil || second.String() != first.String() {
			t.Fatalf("%s\n%s\n%v", first, second, err)
		}
	})
}
