package featuretest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/features/roster"
	"github.com/dragoman-im/dragoman/core/server"
	"github.com/dragoman-im/dragoman/core/stanza"
)

func ask(typ, id, to, payload string) string {
	x := `<iq type='` + typ + `' id='` + id + `'`
	if to != "" {
		x += ` to='` + to + `'`
	}
	return x + `>` + payload + `</iq>`
}

// XEP-0054
func TestVCards(t *testing.T) {
	t.Parallel()
	s := startWith(t, func(c *config.Config) { c.Limits.VCardBytes = 1000 }, "alice", "bob")
	alice, bob := s.online(alicePC), s.online(bobDesk)
	const empty = `<vCard xmlns='vcard-temp'/>`
	card := `<vCard xmlns='vcard-temp'><FN>Al &amp; Co</FN><PHOTO><BINVAL>AAAA</BINVAL></PHOTO></vCard>`
	alice.sends(ask("get", "1", "", empty))
	alice.gets(`<iq type='result' id='1'>` + empty + `</iq>`)
	for _, to := range []string{aliceBare, "nobody@example.org"} {
		bob.sends(ask("get", "2", to, empty), ask("set", "3", to, card))
		bob.gets(fails("iq", "2", "service-unavailable"), fails("iq", "3", "service-unavailable"))
	}
	alice.sends(ask("set", "4", "", card), ask("set", "5", aliceBare, strings.Replace(card, "AAAA", strings.Repeat("A", 1000), 1)))
	alice.gets(result("4"), fails("iq", "5", "not-acceptable"))
	bob.sends(ask("get", "6", aliceBare, empty))
	bob.gets(`<iq type='result' id='6' from='alice@example.org'>` + card + `</iq>`)
	s.remote.sends(strings.Replace(ask("get", "7", aliceBare, empty), "<iq", "<iq from='romeo@remote.example/x'", 1))
	s.remote.gets(`<iq type='result' id='7' to='romeo@remote.example/x'>` + card + `</iq>`)
	s.remote.sends(strings.Replace(ask("set", "8", aliceBare, empty), "<iq", "<iq from='romeo@remote.example/x'", 1)) // OF-2838
	s.remote.gets(fails("iq", "8", "service-unavailable"))
	alice.sends(ask("get", "9", "", empty))
	alice.gets(`<iq type='result' id='9'>` + card + `</iq>`)
}

// XEP-0049
func TestPrivateXML(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	alice, bob := s.online(alicePC), s.online(bobDesk)
	q := func(inner string) string { return `<query xmlns='jabber:iq:private'>` + inner + `</query>` }
	alice.sends(ask("set", "1", "", q(`<a xmlns='urn:a'><b c='&lt;'>x</b></a><d xmlns='urn:a'/>`)), ask("get", "2", "", q(`<a xmlns='urn:a'/>`)),
		ask("get", "3", "", q(`<a xmlns='urn:other'/>`)))
	alice.gets(result("1"), `<iq type='result' id='2'>`+q(`<a xmlns='urn:a'><b c='&lt;'>x</b></a>`)+`</iq>`, `<iq type='result' id='3'>`+q(`<a xmlns='urn:other'/>`)+`</iq>`)
	for i, bad := range []string{q(``), q(`<a/>`), q(`<a xmlns='urn:a'/><b xmlns='urn:a'/>`)} {
		alice.sends(ask("get", fmt.Sprint(i), "", bad))
		alice.gets(fails("iq", fmt.Sprint(i), "not-acceptable"))
	}
	long := `<a xmlns='urn:a'>` + strings.Repeat("x", 1<<20) + `</a>` // store.Limits.PrivateBytes
	many := ""
	for i := range 100 { // store.Limits.PrivateItems
		many += fmt.Sprintf(`<e xmlns='urn:%d'/>`, i)
	}
	alice.sends(ask("set", "4", "", q(long)), ask("set", "5", "", q(many)), ask("get", "6", "", q(`<a xmlns='urn:a'/>`)))
	alice.gets(fails("iq", "4", "resource-constraint"), fails("iq", "5", "resource-constraint"), `<iq type='result' id='6'>`+q(`<a xmlns='urn:a'><b>x</b></a>`)+`</iq>`)
	for _, typ := range []string{"get", "set"} {
		bob.sends(ask(typ, "7", aliceBare, q(`<a xmlns='urn:a'/>`)))
		bob.gets(fails("iq", "7", "service-unavailable"))
	}
	bob.sends(ask("get", "8", "", q(`<a xmlns='urn:a'/>`)))
	if got := bob.take(); len(got) != 1 || strings.Contains(got[0].Payload, "<b") {
		t.Error(show(got))
	}
}

// XEP-0012
func TestLastActivity(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	s.put(aliceBare, bobBare, roster.Item{Subscription: roster.From})
	const q = `<query xmlns='jabber:iq:last'/>`
	bob := s.online(bobDesk)
	bob.sends(ask("get", "1", "example.org", q), ask("get", "2", aliceBare, q), ask("get", "3", "nobody@example.org", q))
	bob.gets(`<iq type='result' id='1'><query xmlns='jabber:iq:last' seconds='*'/></iq>`, fails("iq", "2", "service-unavailable"), fails("iq", "3", "forbidden"))
	alice := s.online(alicePC)
	bob.take()
	bob.sends(ask("get", "4", aliceBare, q))
	bob.gets(`<iq type='result' id='4'><query xmlns='jabber:iq:last' seconds='0'/></iq>`)
	alice.sends(`<presence type='unavailable'><status>home</status></presence>`)
	s.settle()
	s.store.SetLastSeen(alice.jid.Bare(), time.Now().Add(-90*time.Second), "home")
	s.settle()
	bob.take()
	bob.sends(ask("get", "5", aliceBare, q))
	got := bob.take()[0].FirstChild()
	if n := got.Attr("seconds"); n != "90" && n != "91" || got.Text() != "home" {
		t.Error(got)
	}
	alice.take()
	alice.sends(ask("get", "6", bobBare, q)) // not the other way round
	alice.gets(fails("iq", "6", "forbidden"))
}

// XEP-0199, XEP-0092, XEP-0202
func TestSmallServices(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	alice := s.online(alicePC)
	alice.sends(ask("get", "1", "example.org", `<ping xmlns='urn:xmpp:ping'/>`), ask("get", "2", "", `<ping xmlns='urn:xmpp:ping'/>`),
		ask("get", "3", bobBare, `<ping xmlns='urn:xmpp:ping'/>`), ask("set", "4", "example.org", `<ping xmlns='urn:xmpp:ping'/>`))
	alice.gets(result("1"), result("2"), fails("iq", "3", "service-unavailable"), fails("iq", "4", "bad-request"))
	alice.sends(ask("get", "5", "example.org", `<query xmlns='jabber:iq:version'/>`), ask("get", "6", aliceBare, `<query xmlns='jabber:iq:version'/>`))
	alice.gets(`<iq type='result' id='5'><query xmlns='jabber:iq:version'><name>Dragoman</name><version>`+server.Version()+`</version></query></iq>`, fails("iq", "6", "service-unavailable"))
	alice.sends(ask("get", "7", "example.org", `<time xmlns='urn:xmpp:time'/>`))
	x := alice.take()[0].FirstChild()
	at, err := time.Parse("2006-01-02T15:04:05Z", x.ChildText("", "utc"))
	if err != nil || time.Since(at).Abs() > time.Minute {
		t.Error(x, err)
	}
	if _, err := time.Parse("-07:00", x.ChildText("", "tzo")); err != nil {
		t.Error(x, err)
	}
}

// XEP-0030, XEP-0115, XEP-0157, XEP-0232
func TestDisco(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	s.put(aliceBare, bobBare, roster.Item{Subscription: roster.From})
	alice, bob := s.online(alicePC), s.online(bobDesk)
	const info, items = `http://jabber.org/protocol/disco#info`, `http://jabber.org/protocol/disco#items`
	q := func(space, inner string) string { return `<query xmlns='` + space + `'>` + inner + `</query>` }
	want := `<identity category='server' type='im'/>`
	for _, f := range []string{info, items, "jabber:iq:roster", "msgoffline", "jabber:iq:register", "urn:xmpp:ping", "urn:xmpp:time", "jabber:iq:version",
		"vcard-temp", "jabber:iq:private", "jabber:iq:last"} {
		want += `<feature var='` + f + `'/>`
	}
	want += `<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE'><value>http://jabber.org/network/serverinfo</value></field>` +
		`<field var='abuse-addresses'><value>mailto:admin@example.org</value></field></x>` +
		`<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE'><value>urn:xmpp:dataforms:softwareinfo</value></field>` +
		`<field var='software'><value>Dragoman</value></field><field var='software_version'><value>` + server.Version() + `</value></field></x>`
	alice.sends(ask("get", "1", "example.org", q(info, "")), ask("get", "2", "example.org", q(items, "")))
	alice.gets(`<iq type='result' id='1' from='example.org'>`+q(info, want)+`</iq>`, `<iq type='result' id='2'>`+q(items, `<item jid='gw.example.org'/><item jid='notify.example.org'/>`)+`</iq>`)
	alice.sends(ask("get", "3", "", q(info, "")), ask("get", "4", aliceBare, q(items, "")), ask("get", "5", "example.org", `<query xmlns='`+info+`' node='x'/>`))
	alice.gets(`<iq type='result' id='3'>`+q(info, `<identity category='account' type='registered'/>`)+`</iq>`, `<iq type='result' id='4'>`+q(items, "")+`</iq>`, fails("iq", "5", "item-not-found"))
	bob.take()
	bob.sends(ask("get", "6", aliceBare, q(info, "")))
	bob.gets(`<iq type='result' id='6'>` + q(info, `<identity category='account' type='registered'/>`) + `</iq>`)
	alice.sends(ask("get", "7", bobBare, q(info, "")), ask("get", "8", "nobody@example.org", q(info, "")))
	alice.gets(fails("iq", "7", "service-unavailable"), fails("iq", "8", "service-unavailable"))
	features := s.host.StreamFeatures(t.Context())
	caps := features[slices.IndexFunc(features, func(e *stanza.Element) bool { return e.Space == "http://jabber.org/protocol/caps" })]
	node := caps.Attr("node") + "#" + caps.Attr("ver")
	alice.sends(ask("get", "9", "example.org", `<query xmlns='`+info+`' node='`+node+`'/>`))
	alice.gets(`<iq type='result' id='9'><query xmlns='` + info + `' node='` + node + `'>` + want + `</query></iq>`)
	caps = features[slices.IndexFunc(features, func(e *stanza.Element) bool { return e.Space == "urn:xmpp:caps" })]
	for h := range caps.Elements() { // XEP-0390 §5.5
		node := "urn:xmpp:caps#" + h.Attr("algo") + "." + h.Text()
		alice.sends(ask("get", "10", "example.org", `<query xmlns='`+info+`' node='`+node+`'/>`))
		alice.gets(`<iq type='result' id='10'><query xmlns='` + info + `' node='` + node + `'>` + want + `</query></iq>`)
	}
}

// Items of an account whose presence one may not see, and of an address without an account, are an empty list (XEP-0030
// §8); information about them is not given.
func TestDiscoWithoutSubscription(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	bob := s.online(bobDesk)
	s.online(alicePC)
	for _, to := range []string{aliceBare, "nobody@example.org"} {
		for _, node := range []string{"", " node='urn:x'"} {
			bob.sends(`<iq type='get' id='1' to='` + to + `'><query xmlns='http://jabber.org/protocol/disco#items'` + node + `/></iq>`)
			bob.gets(`<iq type='result' id='1' from='` + to + `'><query xmlns='http://jabber.org/protocol/disco#items'` + node + `/></iq>`)
		}
		bob.sends(`<iq type='get' id='2' to='` + to + `'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`)
		bob.gets(fails("iq", "2", "service-unavailable"))
	}
}
