package featuretest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

const directory = "search.example.org"

func searchFor(fields string) string {
	return `<query xmlns='jabber:iq:search'>` + fields + `</query>`
}

func enterAs(fields string) string {
	return `<query xmlns='jabber:iq:register'>` + fields + `</query>`
}

func searchBy(values string) string {
	return searchFor(submitted("jabber:iq:search", values))
}

func submitted(formType, values string) string {
	return `<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>` + formType + `</value></field>` + values + `</x>`
}

func value(name, v string) string {
	return `<field var='` + name + `'><value>` + v + `</value></field>`
}

// found returns the addresses in the answer to a search.
func (c *client) found(search string) string {
	c.t.Helper()
	c.take()
	c.sends(ask("set", "s", directory, search))
	got := c.take()
	if len(got) != 1 || got[0].Type != "result" {
		c.t.Fatalf("%s: %s", search, show(got))
	}
	var list []string
	for e := range got[0].FirstChild().Named("jabber:iq:search", "item") {
		list = append(list, strings.TrimSuffix(e.Attr("jid"), "@example.org"))
	}
	return strings.Join(list, " ")
}

// XEP-0055
func TestSearch(t *testing.T) {
	t.Parallel()
	url := storetest.URL(t)
	s := startWith(t, func(c *config.Config) { c.Store.URL, c.Limits.Searches = url, 0 }, "alice", "bob", "carol", "dave")
	alice, bob, carol := s.online(alicePC), s.online(bobDesk), s.online("carol@example.org/x")
	alice.sends(ask("get", "1", directory, `<query xmlns='http://jabber.org/protocol/disco#info'/>`), ask("get", "2", directory, searchFor("")))
	alice.gets(`<iq type='result' id='1' from='search.example.org'><query xmlns='http://jabber.org/protocol/disco#info'><identity category='directory' type='user'/><feature var='jabber:iq:search'/><feature var='jabber:iq:register'/><feature var='http://jabber.org/protocol/commands'/></query></iq>`,
		`<iq type='result' id='2'><query xmlns='jabber:iq:search'><instructions/><first/><last/><nick/><email/><x xmlns='jabber:x:data' type='form'><field var='FORM_TYPE' type='hidden'><value>jabber:iq:search</value></field><field var='first' type='text-single'/><field var='last'/><field var='nick'/><field var='email'/></x></query></iq>`)

	// A vCard enters nobody.
	carol.sends(ask("set", "v", "", `<vCard xmlns='vcard-temp'><FN>Carol Liddell</FN><NICKNAME>Carol</NICKNAME></vCard>`))
	carol.gets(result("v"))
	alice.sends(ask("set", "3", directory, enterAs(`<first>Alice</first><last>Liddell Pleasance</last><nick>Al_ice 100%</nick><email/>`)))
	alice.gets(result("3"))
	bob.sends(ask("set", "4", directory, enterAs(submitted("jabber:iq:register", value("first", "Bob")+value("last", "LIDDELL")+value("email", "bob@mail.example")))))
	bob.gets(result("4"))

	for search, want := range map[string]string{
		`<last>liddell</last>`:                   "alice bob",
		`<last>pleasance</last>`:                 "alice",
		`<last>liddell  PLEASANCE</last>`:        "alice",
		`<last>lidd</last>`:                      "",
		`<last>lidd*</last>`:                     "alice bob",
		`<last>ddell*</last>`:                    "",
		`<last>liddell</last><first>bo*</first>`: "bob",
		`<first>ａｌｉｃｅ</first>`:                   "alice",
		`<nick>al_ice</nick>`:                    "alice",
		`<nick>alxice</nick>`:                    "",
		`<nick>100%</nick>`:                      "alice",
		`<nick>%%</nick>`:                        "",
		`<nick>al%*</nick>`:                      "",
		`<email>bob@mail.example</email>`:        "bob",
		`<email>bob@*</email>`:                   "bob",
		`<nick>carol</nick>`:                     "",
		`<first>' OR 1=1 --</first>`:             "",
		`<first>\</first>`:                       "",
		`<nick>bob</nick><last>liddell</last>`:   "",
		`<other>x</other><first> Alice </first>`: "alice",
	} {
		if got := carol.found(searchFor(search)); got != want {
			t.Errorf("%s: %q, not %q", search, got, want)
		}
	}
	carol.sends(ask("set", "5", directory, searchBy(value("last", "Liddell")+value("first", "alice"))), ask("set", "6", directory, searchBy(value("first", "Nobody"))),
		ask("set", "7", directory, searchFor(`<last>Liddell</last><first>bob</first>`)), ask("set", "8", directory, searchFor(`<last>no</last>`)))
	carol.gets(`<iq type='result' id='5'><query xmlns='jabber:iq:search'><x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE'><value>jabber:iq:search</value></field><reported><field var='jid' type='jid-single'/><field var='first'/><field var='last'/><field var='nick'/><field var='email'/></reported><item>`+
		value("jid", aliceBare)+value("first", "Alice")+value("last", "Liddell Pleasance")+value("nick", "Al_ice 100%")+`</item></x></query></iq>`,
		`<iq type='result' id='6'><query xmlns='jabber:iq:search'><x xmlns='jabber:x:data' type='result'><reported/></x></query></iq>`,
		`<iq type='result' id='7'><query xmlns='jabber:iq:search'><item jid='bob@example.org'><first>Bob</first><last>LIDDELL</last><nick/><email>bob@mail.example</email></item></query></iq>`,
		`<iq type='result' id='8'><query xmlns='jabber:iq:search'/></iq>`)

	// XEP-0191 §5: who has blocked the searcher is not found.
	alice.sends(ask("set", "b", "", `<block xmlns='urn:xmpp:blocking'><item jid='carol@example.org'/></block>`))
	alice.gets(result("b"))
	if got := carol.found(searchFor(`<last>liddell</last>`)); got != "bob" {
		t.Error(got)
	}
	if got := bob.found(searchFor(`<last>liddell</last>`)); got != "alice bob" {
		t.Error(got)
	}

	// What was entered is kept, changed by its account alone, and gone when that leaves.
	s.stop()
	s = startWith(t, func(c *config.Config) { c.Store.URL = url })
	bob = s.online(bobDesk)
	bob.sends(ask("get", "1", directory, enterAs("")), ask("set", "2", directory, enterAs(`<nick>Bobby</nick>`)))
	bob.gets(`<iq type='result' id='1'><query xmlns='jabber:iq:register'><registered/><instructions/><first>Bob</first><last>LIDDELL</last><nick/><email>bob@mail.example</email><x xmlns='jabber:x:data'/></query></iq>`, result("2"))
	if got := bob.found(searchFor(`<last>liddell</last>`)) + ", " + bob.found(searchFor(`<nick>bobby</nick>`)); got != "alice, bob" {
		t.Error(got)
	}
	bob.sends(ask("set", "3", directory, enterAs(`<remove/>`)), ask("set", "4", directory, enterAs(`<remove/>`)), ask("get", "5", directory, enterAs("")))
	bob.gets(result("3"), fails("iq", "4", "registration-required"), `<iq type='result' id='5'><query xmlns='jabber:iq:register'><instructions/><first/><last/><nick/><email/><x xmlns='jabber:x:data'/></query></iq>`)
	if err := s.store.RemoveAccount(t.Context(), jid.MustParse(aliceBare)); err != nil { // not yet deleted
		t.Fatal(err)
	}
	if got := bob.found(searchFor(`<nick>bobby</nick>`)) + bob.found(searchFor(`<last>liddell</last>`)); got != "" {
		t.Error(got)
	}
}

func TestSearchRefuses(t *testing.T) {
	t.Parallel()
	s := startWith(t, func(c *config.Config) { c.Limits.Searches = 3 }, "alice", "bob")
	alice, bob := s.online(alicePC), s.online(bobDesk)
	long := strings.Repeat("x", 256)
	for payload, condition := range map[string]string{
		searchFor(""):                            "not-acceptable",
		searchFor(`<first/>`):                    "not-acceptable",
		searchFor(`<first>*</first>`):            "not-acceptable",
		searchFor(`<first>a*</first>`):           "not-acceptable",
		searchFor(`<first>` + long + `</first>`): "not-acceptable",
		searchFor(`<first>a&#9;b</first>`):       "not-acceptable",
		searchFor(`<first>al</first><set xmlns='http://jabber.org/protocol/rsm'><max>x</max></set>`): "bad-request",
		searchFor(submitted("jabber:iq:register", value("first", "x"))):                              "bad-request",
		searchFor(`<x xmlns='jabber:x:data' type='odd'/>`):                                           "bad-request",
		searchFor(`<x xmlns='jabber:x:data' type='submit'/>`):                                        "bad-request",
		`<other xmlns='jabber:iq:search'/>`:                                                          "bad-request",
		enterAs(""):                                                                                  "not-acceptable",
		enterAs(`<first> </first>`):                                                                  "not-acceptable",
		enterAs(`<nick>` + long + `</nick>`):                                                         "not-acceptable",
		enterAs(`<nick>a&#x85;b</nick>`):                                                             "not-acceptable",
		enterAs(`<remove/><nick>x</nick>`):                                                           "bad-request",
		enterAs(submitted("jabber:iq:search", value("first", "x"))):                                  "bad-request",
		`<vCard xmlns='vcard-temp'/>`:                                                                "service-unavailable",
	} {
		alice.sends(ask("set", "1", directory, payload))
		alice.gets(fails("iq", "1", condition))
	}
	alice.sends(ask("get", "2", directory, enterAs("")))
	if got := show(alice.take()); strings.Contains(got, "registered") {
		t.Error("something was entered: " + got)
	}
	for _, payload := range []string{searchFor(`<first>al*</first>`), enterAs(`<first>Eve</first>`), `<command xmlns='http://jabber.org/protocol/commands' node='directory-entry'/>`} {
		s.remote.sends(strings.Replace(ask("set", "3", directory, payload), "<iq", "<iq from='eve@remote.example/x'", 1))
		s.remote.gets(fails("iq", "3", "forbidden"))
	}
	// limits.searches
	for range 3 {
		bob.found(searchFor(`<first>al*</first>`))
	}
	bob.sends(ask("set", "4", directory, searchFor(`<first>al*</first>`)))
	bob.gets(fails("iq", "4", "resource-constraint"))
	alice.found(searchFor(`<first>al*</first>`))
	for _, c := range s.counts() {
		if c.Limit == "limits.searches" && c.Times != 1 {
			t.Error(c)
		}
	}
}

// XEP-0059: pages of what was found, and an end to what one answer holds
func TestSearchPages(t *testing.T) {
	t.Parallel()
	var accounts []string
	for i := range 25 {
		accounts = append(accounts, fmt.Sprintf("u%02d", i))
	}
	s := startWith(t, func(c *config.Config) { c.Limits.SearchResults = 10 }, append(accounts, "alice")...)
	for _, a := range accounts {
		c := s.login(a + "@example.org/x")
		c.sends(ask("set", "1", directory, enterAs(`<nick>everybody</nick>`)))
		c.gets(result("1"))
	}
	alice := s.online(alicePC)
	page := func(rsm string) string {
		t.Helper()
		alice.sends(ask("set", "1", directory, searchFor(`<nick>every*</nick>`+rsm)))
		got := alice.take()
		if len(got) != 1 {
			t.Fatal(show(got))
		}
		if got[0].Type == "error" {
			return got[0].String()
		}
		q := got[0].FirstChild()
		n := 0
		for range q.Named("jabber:iq:search", "item") {
			n++
		}
		set := q.Child("http://jabber.org/protocol/rsm", "set")
		return fmt.Sprint(n, " ", set.ChildText("http://jabber.org/protocol/rsm", "first"), " ", set.ChildText("http://jabber.org/protocol/rsm", "count"))
	}
	rsm := func(inner string) string { return `<set xmlns='http://jabber.org/protocol/rsm'>` + inner + `</set>` }
	for in, want := range map[string]string{
		"":                  "10 u00@example.org 25",
		rsm(`<max>4</max>`): "4 u00@example.org 25",
		rsm(`<max>4</max><after>u03@example.org</after>`): "4 u04@example.org 25",
		rsm(`<max>4</max><before/>`):                      "4 u21@example.org 25",
		rsm(`<max>1000</max>`):                            "10 u00@example.org 25",
		rsm(`<max>0</max>`):                               "0  25",
		rsm(`<max>2</max><index>20</index>`):              "2 u20@example.org 25",
	} {
		if got := page(in); got != want {
			t.Errorf("%s: %s, not %s", in, got, want)
		}
	}
	if got := page(rsm(`<after>' OR 1=1 --</after>`)); !strings.Contains(got, "item-not-found") {
		t.Error(got)
	}
}

// The command does what registration does.
func TestSearchCommand(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	alice, bob := s.online(alicePC), s.online(bobDesk)
	const node = `<command xmlns='http://jabber.org/protocol/commands' node='directory-entry'`
	enter := func(values string) {
		t.Helper()
		alice.sends(ask("set", "1", directory, node+`/>`))
		got := alice.take()
		if len(got) != 1 || got[0].Type != "result" {
			t.Fatal(show(got))
		}
		alice.sends(ask("set", "2", directory, node+` action='complete' sessionid='`+got[0].FirstChild().Attr("sessionid")+`'><x xmlns='jabber:x:data' type='submit'>`+values+`</x></command>`))
		alice.gets(`<iq type='result' id='2'>` + node + ` status='completed'><note type='info'/></command></iq>`)
	}
	enter(value("listed", "1") + value("nick", "Al"))
	if got := bob.found(searchFor(`<nick>al</nick>`)); got != "alice" {
		t.Error(got)
	}
	enter(value("listed", "0"))
	if got := bob.found(searchFor(`<nick>al</nick>`)); got != "" {
		t.Error(got)
	}
}

// A component that has the domain keeps it.
func TestSearchLeavesDomains(t *testing.T) {
	t.Parallel()
	s := startWith(t, func(c *config.Config) {
		c.Components = append(c.Components, config.Component{Domain: directory, Secret: "x"})
	}, "alice")
	alice := s.online(alicePC)
	alice.sends(ask("get", "1", directory, searchFor("")))
	alice.gets(fails("iq", "1", "service-unavailable"))
}
