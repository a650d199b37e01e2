package disco

import (
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// bombus is the simple example of XEP-0390 §4.5.
const bombus = `<query xmlns="http://jabber.org/protocol/disco#info"><identity category="client" name="BombusMod" type="mobile"/>
<feature var="http://jabber.org/protocol/si"/><feature var="http://jabber.org/protocol/bytestreams"/><feature var="http://jabber.org/protocol/chatstates"/>
<feature var="http://jabber.org/protocol/disco#info"/><feature var="http://jabber.org/protocol/disco#items"/><feature var="urn:xmpp:ping"/>
<feature var="jabber:iq:time"/><feature var="jabber:iq:privacy"/><feature var="jabber:iq:version"/><feature var="http://jabber.org/protocol/rosterx"/>
<feature var="urn:xmpp:time"/><feature var="jabber:x:oob"/><feature var="http://jabber.org/protocol/ibb"/>
<feature var="http://jabber.org/protocol/si/profile/file-transfer"/><feature var="urn:xmpp:receipts"/><feature var="jabber:iq:roster"/><feature var="jabber:iq:last"/></query>`

func element(t *testing.T, xml string) *stanza.Element {
	t.Helper()
	e, err := stanza.ParseElement(xml, "")
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func presence(t *testing.T, inner string) *stanza.Element {
	t.Helper()
	return element(t, "<presence xmlns='jabber:client'>"+inner+"</presence>")
}

func caps2(hashes string) string { return "<c xmlns='urn:xmpp:caps'>" + hashes + "</c>" }

func TestHashesOfCaps2(t *testing.T) { // XEP-0390 §4
	t.Parallel()
	for algorithm, value := range map[string]string{
		"sha-256":  "kzBZbkqJ3ADrj7v08reD1qcWUwNGHaidNUgD7nHpiw8=",
		"sha3-256": "79mdYAfU9rEdTOcWDO7UEAt6E56SUzk/g6TnqUeuD9Q=",
	} {
		p := presence(t, caps2("<hash xmlns='urn:xmpp:hashes:2' algo='md5'>x</hash><hash xmlns='urn:xmpp:hashes:2' algo='"+algorithm+"'>"+value+"</hash>"))
		h, ok := FindCapsHash(p)
		if !ok || h.Node != "urn:xmpp:caps#"+algorithm+"."+value {
			t.Errorf("%s: %+v %v", algorithm, h, ok)
		}
		if _, ok := h.Matches(element(t, bombus)); !ok {
			t.Errorf("%s does not match", algorithm)
		}
		if _, ok := h.Matches(element(t, strings.Replace(bombus, "ping", "pong", 1))); ok {
			t.Errorf("%s matches something else", algorithm)
		}
	}
}

// What this server announces of itself can be checked, by both generations.
func TestAnnouncement(t *testing.T) {
	t.Parallel()
	i, ok := ReadInfo(element(t, bombus))
	if !ok {
		t.Fatal("not read")
	}
	list := i.Announcement("urn:software")
	if len(list) != 2 {
		t.Fatal(list)
	}
	for _, e := range list {
		h, ok := FindCapsHash(presence(t, e.String()))
		if !ok || !i.IsAnnounced("urn:software", h.Node) || i.IsAnnounced("urn:software", h.Node+"x") {
			t.Errorf("%s: %+v, %v", e, h, ok)
		}
		if _, ok := h.Matches(element(t, bombus)); !ok {
			t.Errorf("%s does not match", e)
		}
	}
}

func TestHashOfCaps(t *testing.T) { // XEP-0115 §5
	t.Parallel()
	const ver = "q07IKJEyjvHSyhy//CH0CxmKi8w="
	h, ok := FindCapsHash(presence(t, "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='http://psi-im.org' ver='"+ver+"'/>"))
	if !ok || h.Node != "http://psi-im.org#"+ver {
		t.Fatal(h, ok)
	}
	if i, ok := h.Matches(element(t, psi)); !ok || len(i.Identities) != 2 {
		t.Error("the example does not match", i)
	}
	twice := strings.Replace(psi, "<feature var='http://jabber.org/protocol/muc'/>", "<feature var='http://jabber.org/protocol/muc'/><feature var='http://jabber.org/protocol/muc'/>", 1)
	if _, ok := h.Matches(element(t, twice)); ok { // XEP-0115 §5.4 rule 3.4
		t.Error("a feature is there twice")
	}
	// The separator in a name: the same text could come from other features (XEP-0115 §9.1).
	one := Info{Identities: []Identity{{"client", "pc", "", "x"}}, Features: []string{"urn:a", "urn:b"}}
	ver2, _ := one.Ver("sha-1")
	joined := element(t, "<query xmlns='"+NSInfo+"'><identity category='client' type='pc' name='x'/><feature var='urn:a&lt;urn:b'/></query>")
	if _, ok := (CapsHash{Generation: 1, Algorithm: "sha-1", Value: ver2}).Matches(joined); ok {
		t.Error("two features were joined to one")
	}
	for _, c := range []string{
		"", "<c xmlns='http://jabber.org/protocol/caps' node='x' ver='1.0' ext='a b'/>", // before version 1.4
		"<c xmlns='http://jabber.org/protocol/caps' hash='md2' node='x' ver='y'/>",
		"<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='x' ver='" + strings.Repeat("y", 200) + "'/>",
		caps2("<hash xmlns='urn:xmpp:hashes:2' algo='sha-1'>x</hash>"),
	} {
		if h, ok := FindCapsHash(presence(t, c)); ok {
			t.Errorf("%s: %+v", c, h)
		}
	}
}

func TestWanted(t *testing.T) { // XEP-0060 §9.2
	t.Parallel()
	var none *Capabilities
	c := &Capabilities{}
	if none.Known() || none.Wants("a") || none.WantsSome() || c.Known() || c.Wants("a") || c.WantsSome() {
		t.Error("something is known before it is set")
	}
	c.SetInfo(Info{Features: []string{"a+notify", "b"}})
	if !c.Known() || !c.Wants("a") || c.Wants("b") || c.Wants("") || !c.WantsSome() {
		t.Error("what is wanted is wrong")
	}
}
