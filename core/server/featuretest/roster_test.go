package featuretest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/config"
)

func get(id, ver string) string {
	return `<iq type='get' id='` + id + `'><query xmlns='jabber:iq:roster'` + ver + `/></iq>`
}

func set(id, item string) string {
	return `<iq type='set' id='` + id + `'><query xmlns='jabber:iq:roster'>` + item + `</query></iq>`
}

func push(item string) string {
	return `<iq type='set' id='*'><query xmlns='jabber:iq:roster' ver='*'>` + item + `</query></iq>`
}

func fails(kind, id, condition string) string {
	return `<` + kind + ` type='error' id='` + id + `'><error><` + condition + ` xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></` + kind + `>`
}

func result(id string) string { return `<iq type='result' id='` + id + `'/>` }

// checklist 65, 66, 67, 69
func TestRosterIsEdited(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	phone, laptop, stalled := s.login("alice@example.org/phone"), s.login("alice@example.org/laptop"), s.login("alice@example.org/stalled")
	phone.sends(get("1", ""))
	phone.gets(`<iq type='result' id='1'><query xmlns='jabber:iq:roster' ver='-'/></iq>`)
	laptop.sends(get("1", " ver=''"))
	laptop.gets(`<iq type='result' id='1'><query xmlns='jabber:iq:roster' ver='*'/></iq>`)

	phone.sends(set("2", `<item jid='Bob@example.org' name='Bob' subscription='both' ask='subscribe' approved='true'><group>A</group></item>`))
	added := push(`<item jid='bob@example.org' name='Bob' subscription='none' ask='-' approved='-'><group>A</group></item>`)
	phone.gets(added, result("2"))
	laptop.gets(added)
	stalled.gets()

	laptop.sends(set("3", `<item jid='bob@example.org'><group>C</group><group>B</group></item>`)) // replaced as a whole
	laptop.gets(push(`<item jid='bob@example.org' name='-'><group>B</group><group>C</group></item>`), result("3"))
	phone.take()
	phone.sends(get("4", ""))
	phone.gets(`<iq type='result' id='4'><query xmlns='jabber:iq:roster'><item jid='bob@example.org' name='-' subscription='none'><group>B</group><group>C</group></item></query></iq>`)

	phone.sends(set("5", `<item jid='bob@example.org' subscription='remove'/>`))
	phone.gets(push(`<item jid='bob@example.org' subscription='remove'/>`), result("5"))
	laptop.gets(push(`<item jid='bob@example.org' subscription='remove'/>`))
	phone.sends(set("6", `<item jid='bob@example.org' subscription='remove'/>`))
	phone.gets(fails("iq", "6", "item-not-found"))
	s.remote.gets()
}

// checklist 65, 66, 70
func TestRosterSetsThatAreRefused(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	alice, bob := s.online("alice@example.org/x"), s.online("bob@example.org/y")
	long := strings.Repeat("n", 1024)
	many := ""
	for i := range 101 {
		many += fmt.Sprintf("<group>%d</group>", i)
	}
	for i, c := range []struct{ item, condition string }{
		{``, "bad-request"},
		{`<item jid='a@b.c'/><item jid='d@b.c'/>`, "bad-request"},
		{`<item jid='a@b.c'/><x xmlns='y'/>`, "bad-request"},
		{`<x xmlns='y' jid='a@b.c'/>`, "bad-request"},
		{`<item name='no jid'/>`, "bad-request"},
		{`<item jid='@b.c'/>`, "bad-request"},
		{`<item jid='a@b.c/resource'/>`, "bad-request"},
		{`<item jid='a@b.c'><group>g</group><group>g</group></item>`, "bad-request"},
		{`<item jid='a@b.c'><group/></item>`, "not-acceptable"},
		{`<item jid='a@b.c'><group>` + long + `</group></item>`, "not-acceptable"},
		{`<item jid='a@b.c' name='` + long + `'/>`, "not-acceptable"},
		{`<item jid='a@b.c'>` + many + `</item>`, "not-acceptable"},
		{`<item jid='alice@example.org'/>`, "not-allowed"},
		{`<item jid='alice@example.org' subscription='remove'/>`, "not-allowed"},
	} {
		id := fmt.Sprint(i)
		alice.sends(set(id, c.item))
		alice.gets(fails("iq", id, c.condition))
	}
	for _, to := range []string{"bob@example.org", "nobody@example.org", "example.org"} { // the same, whoever it is
		condition := "forbidden" // RFC 6121 §2.1.5
		if to == "example.org" {
			condition = "service-unavailable"
		}
		alice.sends(
			`<iq type='get' id='1' to='`+to+`'><query xmlns='jabber:iq:roster'/></iq>`,
			`<iq type='set' id='2' to='`+to+`'><query xmlns='jabber:iq:roster'><item jid='a@b.c'/></query></iq>`)
		alice.gets(fails("iq", "1", condition), fails("iq", "2", condition))
	}
	bob.sends(get("9", ""))
	bob.gets(`<iq type='result' id='9'><query xmlns='jabber:iq:roster'/></iq>`)
	if items, _, err := s.store.Roster(t.Context(), bob.jid.Bare(), ""); len(items) != 0 || err != nil {
		t.Error(items, err)
	}
}

func TestRosterIsBounded(t *testing.T) {
	t.Parallel()
	s := startWith(t, func(c *config.Config) { c.Limits.RosterItems, c.Limits.RosterRequests = 3, 2 }, "alice")
	alice := s.online("alice@example.org/x")
	for i := range 3 {
		alice.sends(set("1", fmt.Sprintf(`<item jid='%d@b.c'/>`, i)))
	}
	alice.take()
	alice.sends(set("2", `<item jid='4@b.c'/>`), `<presence type='subscribe' to='5@b.c' id='3'/>`, set("4", `<item jid='1@b.c' name='again'/>`))
	alice.gets(fails("iq", "2", "resource-constraint"), fails("presence", "3", "resource-constraint"), push(`<item jid='1@b.c' name='again'/>`), result("4"))
	s.remote.gets()
	alice.drop()
	for i := range 4 {
		s.remote.sends(fmt.Sprintf(`<presence type='subscribe' from='%d@d.e' to='alice@example.org'/>`, i))
	}
	alice = s.login("alice@example.org/x")
	alice.sends(`<presence/>`)
	alice.gets(`<presence from='alice@example.org/x'/>`, `<presence type='subscribe' from='0@d.e'/>`, `<presence type='subscribe' from='1@d.e'/>`)
}

// checklist 71
func TestRosterVersions(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	alice := s.login("alice@example.org/x")
	alice.sends(get("1", " ver=''"))
	v0 := alice.take()[0].FirstChild().Attr("ver")
	alice.sends(get("2", " ver='"+v0+"'"))
	got := alice.take()
	if len(got) != 1 || got[0].Payload != "" {
		t.Error(show(got))
	}
	seen := map[string]bool{v0: true}
	for i := range 5 {
		alice.sends(set("3", fmt.Sprintf(`<item jid='a@b.c' name='%d'/>`, i)))
		ver := alice.take()[0].FirstChild().Attr("ver")
		if seen[ver] {
			t.Errorf("version %s twice", ver)
		}
		seen[ver] = true
	}
	for _, old := range []string{v0, "0", "zzzzzzzzzzzzzzzzzzzz"} {
		alice.sends(get("4", " ver='"+old+"'"))
		alice.gets(`<iq type='result' id='4'><query xmlns='jabber:iq:roster' ver='*'><item jid='a@b.c' name='4'/></query></iq>`)
	}
	alice.sends(set("5", `<item jid='a@b.c' name='4'/>`)) // nothing is different: RFC 6121 §2.4.2
	alice.gets(push(`<item jid='a@b.c' name='4'/>`), result("5"))
	var advertised []string
	for _, f := range s.host.StreamFeatures(t.Context()) {
		advertised = append(advertised, f.Space)
	}
	for _, space := range []string{"urn:xmpp:features:rosterver", "urn:xmpp:features:pre-approval"} {
		if !slices.Contains(advertised, space) {
			t.Errorf("%s is not among %v", space, advertised)
		}
	}
}

// CVE-2015-8688, CVE-2016-9928, CVE-2019-16236 and CVE-2014-0364: nobody but the account's own server changes its roster.
func TestCVE_2016_9928_ForgedRosterPush(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	alice, bob := s.online("alice@example.org/x"), s.online("bob@example.org/y")
	alice.sends(`<presence to='bob@example.org/y'/>`)
	alice.sends(`<presence to='mallory@remote.example/z'/>`)
	bob.take()
	s.remote.take()
	item := `<query xmlns='jabber:iq:roster'><item jid='m@b.c' subscription='both'/></query>`
	bob.sends(`<iq type='set' id='1' to='alice@example.org/x'>` + item + `</iq>`)
	bob.gets(fails("iq", "1", "service-unavailable"))
	s.remote.sends(`<iq type='set' id='2' from='mallory@remote.example/z' to='alice@example.org/x'>` + item + `</iq>`)
	s.remote.gets(fails("iq", "2", "service-unavailable"))
	s.gateway.sends(`<iq type='set' id='3' from='c@gw.example.org' to='alice@example.org/x'>` + item + `</iq>`)
	s.gateway.gets(fails("iq", "3", "service-unavailable"))
	alice.gets()
}
