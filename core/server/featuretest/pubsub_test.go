package featuretest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/features/roster"
)

const service = "pubsub.example.org"

func entry(text string) string {
	return `<entry xmlns='http://www.w3.org/2005/Atom'><title>` + text + `</title></entry>`
}

func configure(node string, fields ...string) string {
	return `<configure node='` + node + `'>` + submit(pubsubNS+`#node_config`, fields...) + `</configure>`
}

// news is an event of the host's service.
func news(to, inner string) string {
	return `<message type='headline' from='` + service + `' to='` + to + `'><event xmlns='` + pubsubNS + `#event'>` + inner + `</event></message>`
}

// XEP-0060 §6.1, §7, §8.4, §8.5: a feed on the host's service
func TestPubsubService(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	alice, bob := s.online(alicePC), s.online(bobDesk)
	alice.sends(pubsub("set", "1", service, `<create node='blog'/><configure>`+submit(pubsubNS+`#node_config`, "pubsub#title", "Blog", "pubsub#notify_config", "1")+`</configure>`))
	alice.gets(result("1"))
	bob.sends(pubsub("set", "2", service, `<subscribe node='blog' jid='bob@example.org'/>`))
	bob.gets(`<iq type='result' id='2' from='` + service + `'><pubsub xmlns='` + pubsubNS + `'><subscription node='blog' jid='bob@example.org' subid='*' subscription='subscribed'/></pubsub></iq>`)
	alice.sends(pubsub("set", "3", service, publish("blog", "one", entry("1"))))
	alice.gets(`<iq type='result' id='3'/>`)
	// The publisher is who has published, whatever the item says.
	forged := `<publish node='blog'><item id='two' publisher='eve@example.org'>` + entry("2") + `</item></publish>`
	alice.sends(pubsub("set", "4", service, forged))
	alice.take()
	item := func(id, title string) string {
		return `<items node='blog'><item id='` + id + `' publisher='alice@example.org'>` + entry(title) + `</item></items>`
	}
	bob.gets(news(bobBare, item("one", "1")), news(bobBare, item("two", "2")))
	bob.sends(pubsub("set", "5", service, publish("blog", "x", entry("x"))), pubsub("set", "6", service, `<retract node='blog'><item id='one'/></retract>`),
		owner("set", "7", service, `<purge node='blog'/>`), owner("set", "8", service, `<delete node='blog'/>`), owner("set", "9", service, configure("blog", "pubsub#title", "Mine")))
	bob.gets(fails("iq", "5", "forbidden"), fails("iq", "6", "forbidden"), fails("iq", "7", "forbidden"), fails("iq", "8", "forbidden"), fails("iq", "9", "forbidden"))

	alice.sends(owner("set", "10", service, configure("blog", "pubsub#title", "News")))
	bob.gets(news(bobBare, `<configuration node='blog'><x xmlns='jabber:x:data' type='result'><field var='pubsub#title'><value>News</value></field></x></configuration>`))
	alice.sends(pubsub("set", "11", service, `<retract node='blog' notify='1'><item id='one'/></retract>`), pubsub("set", "12", service, `<retract node='blog'><item id='one'/></retract>`))
	bob.gets(news(bobBare, `<items node='blog'><retract id='one'/></items>`))
	alice.gets(result("10"), result("11"), fails("iq", "12", "item-not-found"))
	alice.sends(owner("set", "13", service, `<purge node='blog'/>`), owner("set", "14", service, `<delete node='blog'><redirect uri='xmpp:elsewhere.example?;node=blog'/></delete>`))
	bob.gets(news(bobBare, `<purge node='blog'/>`), news(bobBare, `<delete node='blog'><redirect uri='xmpp:elsewhere.example?;node=blog'/></delete>`))
	alice.gets(result("13"), result("14"))
}

// XEP-0060 §6.5: items by id, the most recent ones, and by page
func TestItems(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	alice := s.online(alicePC)
	for i := range 5 {
		alice.sends(pubsub("set", "p", service, publish("blog", fmt.Sprint("i", i), entry(fmt.Sprint(i)))))
	}
	alice.take()
	const rsm = `<set xmlns='http://jabber.org/protocol/rsm'>`
	for _, c := range []struct {
		request, want, set string
	}{
		{`<items node='blog'/>`, "i0 i1 i2 i3 i4", ""},
		{`<items node='blog' max_items='2'/>`, "i3 i4", ""},
		{`<items node='blog'><item id='i3'/><item id='no'/><item id='i1'/></items>`, "i3 i1", ""},
		{`<items node='blog'><item id='no'/></items>`, "", ""},
		{`<items node='blog'/>` + rsm + `<max>2</max></set>`, "i0 i1", `<first index='0'>i0</first><last>i1</last><count>5</count>`},
		{`<items node='blog'/>` + rsm + `<max>2</max><after>i1</after></set>`, "i2 i3", `<first index='2'>i2</first><last>i3</last><count>5</count>`},
		{`<items node='blog'/>` + rsm + `<max>2</max><before/></set>`, "i3 i4", `<first index='3'>i3</first><last>i4</last><count>5</count>`},
		{`<items node='blog'/>` + rsm + `<max>2</max><before>i3</before></set>`, "i1 i2", `<first index='1'>i1</first><last>i2</last><count>5</count>`},
		{`<items node='blog'/>` + rsm + `<max>1</max><index>4</index></set>`, "i4", `<first index='4'>i4</first><last>i4</last><count>5</count>`},
		{`<items node='blog'/>` + rsm + `<max>0</max></set>`, "", `<count>5</count>`},
	} {
		alice.sends(pubsub("get", "g", service, c.request))
		answer := alice.take()[0].FirstChild()
		var ids []string
		for i := range answer.Child(pubsubNS, "items").Elements() {
			ids = append(ids, i.Attr("id"))
		}
		set := answer.Child("http://jabber.org/protocol/rsm", "set")
		if strings.Join(ids, " ") != c.want || (set != nil) != (c.set != "") || set != nil && set.String() != rsm+c.set+`</set>` {
			t.Errorf("%s: %v %s", c.request, ids, set)
		}
	}
	// What is given as a place in the list is data, and never SQL.
	for _, hostile := range []string{"' OR 1=1 --", "i9", `"; DROP TABLE pubsub_items; --`} {
		alice.sends(pubsub("get", "g", service, `<items node='blog'/>`+rsm+`<after>`+hostile+`</after></set>`))
		alice.gets(fails("iq", "g", "item-not-found"))
	}
	alice.sends(pubsub("get", "g", service, `<items node='blog' max_items='0'/>`), pubsub("get", "h", service, `<items node='blog' max_items='x'/>`))
	alice.gets(fails("iq", "g", "bad-request"), fails("iq", "h", "bad-request"))
}

// XEP-0060: each wrong request has the error that the specification names, and changes nothing
func TestPubsubErrors(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	alice, bob := s.online(alicePC), s.online(bobDesk)
	for i, access := range []string{"open", "whitelist", "authorize"} {
		alice.sends(pubsub("set", fmt.Sprint(i), service, `<create node='`+access+`'/><configure>`+submit(pubsubNS+`#node_config`, "pubsub#access_model", access)+`</configure>`))
	}
	alice.sends(pubsub("set", "c", service, `<create node='transient'/><configure>`+submit(pubsubNS+`#node_config`, "pubsub#persist_items", "0", "pubsub#deliver_payloads", "0", "pubsub#subscribe", "0")+`</configure>`),
		pubsub("set", "n", service, `<create/>`))
	alice.gets(result("0"), result("1"), result("2"), result("c"), `<iq type='result' id='n'><pubsub xmlns='`+pubsubNS+`'><create node='*'/></pubsub></iq>`)
	bob.sends(pubsub("set", "s", service, `<subscribe node='authorize' jid='bob@example.org'/>`))
	bob.take()
	alice.take()
	for i, c := range []struct {
		who                 *client
		typ, request        string
		condition, specific string
	}{
		{bob, "get", `<items/>`, "bad-request", "nodeid-required"},
		{bob, "get", `<items node='no'/>`, "item-not-found", ""},
		{bob, "get", `<items node='whitelist'/>`, "not-allowed", "closed-node"},                                            // §6.5.9.8
		{bob, "get", `<items node='authorize'/>`, "not-authorized", "not-subscribed"},                                      // §6.5.9.3
		{bob, "get", `<items node='transient'/>`, "feature-not-implemented", "unsupported"},                                // §6.5.9.4
		{bob, "get", `<items node='open' subid='x'/>`, "not-acceptable", "invalid-subid"},                                  // §6.5.9.2
		{bob, "set", `<subscribe node='open'/>`, "bad-request", "jid-required"},                                            //
		{bob, "set", `<subscribe node='open' jid='alice@example.org'/>`, "bad-request", "invalid-jid"},                     // §6.1.3.1
		{bob, "set", `<subscribe node='open' jid='bob@example.org/other'/>`, "bad-request", "invalid-jid"},                 //
		{bob, "set", `<subscribe node='whitelist' jid='bob@example.org'/>`, "not-allowed", "closed-node"},                  // §6.1.3.4
		{bob, "set", `<subscribe node='authorize' jid='bob@example.org'/>`, "not-authorized", "pending-subscription"},      // §6.1.3.7
		{bob, "set", `<subscribe node='transient' jid='bob@example.org'/>`, "feature-not-implemented", "unsupported"},      // §6.1.3.10
		{bob, "set", `<subscribe node='no' jid='bob@example.org'/>`, "item-not-found", ""},                                 // §6.1.3.12
		{bob, "set", `<unsubscribe node='open' jid='bob@example.org'/>`, "unexpected-request", "not-subscribed"},           // §6.2.3.2
		{bob, "set", `<unsubscribe node='open' jid='alice@example.org'/>`, "forbidden", ""},                                // §6.2.3.3
		{bob, "set", `<unsubscribe node='no' jid='bob@example.org'/>`, "item-not-found", ""},                               // §6.2.3.4
		{bob, "set", `<unsubscribe node='authorize' jid='bob@example.org' subid='x'/>`, "not-acceptable", "invalid-subid"}, // §6.2.3.5
		{bob, "get", `<options node='open' jid='bob@example.org'/>`, "unexpected-request", "not-subscribed"},               // §6.3.4.2
		{bob, "get", `<options node='open'/>`, "bad-request", "jid-required"},                                              // §6.3.4.3
		{bob, "set", publish("open", "a", entry("x")), "forbidden", ""},                                                    // §7.1.3.1
		{alice, "set", `<publish node='open'/>`, "bad-request", "item-required"},                                           // §7.1.3.7
		{alice, "set", `<publish node='open'><item id='a'/></publish>`, "bad-request", "payload-required"},                 //
		{alice, "set", `<publish node='transient'><item/></publish>`, "bad-request", "item-forbidden"},                     //
		{alice, "set", publish("open", "a", entry("x")+entry("y")), "bad-request", "invalid-payload"},                      // §7.1.3.6
		{alice, "set", `<publish><item>` + entry("x") + `</item></publish>`, "bad-request", "nodeid-required"},             //
		{alice, "set", publish("open", strings.Repeat("i", 1024), entry("x")), "not-acceptable", ""},                       //
		{alice, "set", publish(strings.Repeat("n", 1024), "a", entry("x")), "not-acceptable", ""},                          //
		{alice, "set", `<retract node='open'/>`, "bad-request", "item-required"},                                           // §7.2.3.4
		{alice, "set", `<retract><item id='a'/></retract>`, "bad-request", "nodeid-required"},                              // §7.2.3.3
		{alice, "set", `<retract node='no'><item id='a'/></retract>`, "item-not-found", ""},                                // §7.2.3.2
		{alice, "set", `<retract node='transient'><item id='a'/></retract>`, "feature-not-implemented", "unsupported"},     // §7.2.3.5
		{alice, "set", `<create node='open'/>`, "conflict", ""},                                                            // §8.1.2
		{alice, "set", `<create node='x'/><configure>` + submit("", "pubsub#max_items", "-1") + `</configure>`, "not-acceptable", ""},
		{alice, "set", `<create node='x'/><configure>` + submit("", "pubsub#node_type", "collection") + `</configure>`, "not-acceptable", ""},
		{alice, "set", `<create node='x'/><configure>` + submit("", "pubsub#access_model", "presence") + `</configure>`, "not-acceptable", ""},
		{alice, "set", `<create node='x'/><configure>` + submit("urn:other", "pubsub#title", "x") + `</configure>`, "bad-request", ""},
		{alice, "get", `<unknown/>`, "feature-not-implemented", ""},
		{alice, "set", `<items node='open'/>`, "feature-not-implemented", ""},
		{alice, "get", ``, "bad-request", ""},
	} {
		id := fmt.Sprint("e", i)
		c.who.sends(pubsub(c.typ, id, service, c.request))
		if c.specific == "" {
			c.who.gets(fails("iq", id, c.condition))
		} else {
			c.who.gets(refused(id, c.condition, c.specific))
		}
	}
	for i, c := range []struct{ typ, request, condition string }{
		{"set", `<configure/>`, "bad-request"},              // §8.2.3.3
		{"set", `<configure node='no'/>`, "item-not-found"}, // §8.2.3.5
		{"set", `<configure node='open'/>`, "bad-request"},  //
		{"get", `<configure/>`, "bad-request"},              //
		{"set", `<delete node='no'/>`, "item-not-found"},    // §8.4.3.2
		{"set", `<purge node='no'/>`, "item-not-found"},     // §8.5.3.4
		{"set", `<purge node='transient'/>`, "feature-not-implemented"},
		{"set", configure("open", "pubsub#max_items", "many"), "not-acceptable"},
		{"set", `<affiliations node='open'><affiliation jid='alice@example.org' affiliation='none'/></affiliations>`, "not-acceptable"}, // §8.9.2.4
		{"set", `<affiliations node='open'><affiliation jid='bob@example.org' affiliation='king'/></affiliations>`, "not-acceptable"},
		{"set", `<affiliations node='open'><affiliation jid='@' affiliation='owner'/></affiliations>`, "jid-malformed"},
		{"set", `<subscriptions node='open'><subscription jid='bob@example.org' subscription='maybe'/></subscriptions>`, "not-acceptable"},
	} {
		id := fmt.Sprint("o", i)
		alice.sends(owner(c.typ, id, service, c.request))
		alice.gets(fails("iq", id, c.condition))
	}
	alice.sends(owner("get", "l", service, `<affiliations node='open'/>`), owner("get", "m", service, `<subscriptions node='open'/>`), pubsub("get", "i", service, `<items node='open'/>`))
	got := alice.take()
	if strings.Count(got[0].Payload, "<affiliation ") != 1 || strings.Contains(got[1].Payload, "<subscription ") || strings.Contains(got[2].Payload, "<item ") {
		t.Errorf("something was changed: %s", show(got))
	}
}

// XEP-0060 §8.6: an owner decides about subscriptions
func TestApproval(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	alice, bob := s.online(alicePC), s.online(bobDesk)
	alice.sends(pubsub("set", "1", service, `<create node='club'/><configure>`+submit(pubsubNS+`#node_config`, "pubsub#access_model", "authorize")+`</configure>`))
	alice.take()
	bob.sends(pubsub("set", "2", service, `<subscribe node='club' jid='bob@example.org'/>`))
	bob.gets(`<iq type='result' id='2'><pubsub xmlns='` + pubsubNS + `'><subscription node='club' jid='bob@example.org' subscription='pending'/></pubsub></iq>`)
	alice.gets(`<message from='` + service + `' to='alice@example.org'><x xmlns='jabber:x:data' type='form'><field var='pubsub#subscriber_jid'><value>bob@example.org</value></field></x></message>`)
	decide := func(c *client, allow string) {
		c.sends(`<message to='` + service + `'>` + submit(pubsubNS+`#subscribe_authorization`, "pubsub#node", "club", "pubsub#subscriber_jid", bobBare, "pubsub#allow", allow) + `</message>`)
	}
	decide(bob, "1") // one does not let oneself in
	bob.gets(fails("message", "", "forbidden"))
	alice.sends(pubsub("set", "3", service, publish("club", "a", entry("x"))))
	alice.take()
	bob.gets()
	decide(alice, "1")
	bob.gets(news(bobBare, `<subscription node='club' jid='bob@example.org' subscription='subscribed'/>`))
	decide(alice, "1") // there is nothing to decide any more
	alice.gets(fails("message", "", "item-not-found"))
	alice.sends(pubsub("set", "4", service, publish("club", "b", entry("y"))))
	alice.take()
	bob.gets(news(bobBare, `<items node='club'><item id='b'/></items>`))
	alice.sends(owner("set", "5", service, `<subscriptions node='club'><subscription jid='bob@example.org' subscription='none'/></subscriptions>`))
	bob.gets(news(bobBare, `<subscription node='club' jid='bob@example.org' subscription='none'/>`))
	bob.sends(pubsub("get", "6", service, `<items node='club'/>`))
	bob.gets(refused("6", "not-authorized", "not-subscribed"))
}

// XEP-0060 §4.1, §8.9: affiliations
func TestAffiliations(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	alice, bob := s.online(alicePC), s.online(bobDesk)
	alice.sends(pubsub("set", "1", service, `<create node='n'/><configure>`+submit(pubsubNS+`#node_config`, "pubsub#access_model", "whitelist")+`</configure>`))
	alice.take()
	for _, c := range []struct {
		affiliation                string
		reads, publishes, retracts bool
	}{
		{"none", false, false, false}, {"member", true, false, false}, {"publish-only", false, true, false}, {"publisher", true, true, true},
		{"outcast", false, false, false}, {"owner", true, true, true},
	} {
		alice.sends(owner("set", "a", service, `<affiliations node='n'><affiliation jid='bob@example.org/x' affiliation='`+c.affiliation+`'/></affiliations>`),
			pubsub("set", "p", service, publish("n", "x", entry("x"))))
		got := alice.take()
		if got[0].Type != "result" {
			t.Fatalf("%s: %s", c.affiliation, show(got))
		}
		for i, try := range []struct {
			typ, request string
			allowed      bool
		}{{"get", `<items node='n'/>`, c.reads}, {"set", publish("n", "y", entry("y")), c.publishes}, {"set", `<retract node='n'><item id='x'/></retract>`, c.retracts}} {
			bob.sends(pubsub(try.typ, "t", service, try.request))
			if got := bob.take(); (got[0].Type == "result") != try.allowed {
				t.Errorf("%s, request %d: %s", c.affiliation, i, show(got))
			}
		}
	}
}

// Private nodes of an account do not show, neither in service discovery nor by errors: the answers are those of an account
// without the node, and of an address without an account. Nothing is kept about the latter.
func TestPrivateNodes(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	s.put(aliceBare, bobBare, roster.Item{Subscription: roster.Both})
	s.put(bobBare, aliceBare, roster.Item{Subscription: roster.Both})
	alice, bob := s.online(alicePC), s.online(bobDesk)
	alice.take()
	alice.sends(pubsub("set", "1", "", publish("urn:secret", "a", `<x xmlns='urn:x'/>`)+options("pubsub#access_model", "whitelist")))
	alice.gets(result("1"))
	bob.take()
	for i, inner := range []string{`<items node='urn:secret'/>`, `<subscriptions/>`, `<affiliations/>`} {
		for _, to := range []string{aliceBare, "nobody@example.org"} {
			bob.sends(pubsub("get", "g", to, inner))
			if i == 0 {
				bob.gets(fails("iq", "g", "item-not-found"))
			} else {
				bob.gets(`<iq type='result' id='g'/>`)
			}
		}
	}
	for _, inner := range []string{publish("urn:secret", "b", `<x xmlns='urn:x'/>`), `<subscribe node='urn:secret' jid='bob@example.org'/>`,
		`<unsubscribe node='urn:secret' jid='bob@example.org'/>`, `<retract node='urn:secret'><item id='a'/></retract>`} {
		for _, to := range []string{aliceBare, "nobody@example.org"} {
			bob.sends(pubsub("set", "s", to, inner))
			bob.gets(fails("iq", "s", "item-not-found"))
		}
	}
	for _, inner := range []string{`<delete node='urn:secret'/>`, `<purge node='urn:secret'/>`, configure("urn:secret"), `<affiliations node='urn:secret'/>`} {
		for _, to := range []string{aliceBare, "nobody@example.org"} {
			bob.sends(owner("set", "o", to, inner))
			bob.gets(fails("iq", "o", "item-not-found"))
		}
	}
	for _, q := range []string{`<query xmlns='http://jabber.org/protocol/disco#items'/>`, `<query xmlns='http://jabber.org/protocol/disco#info'/>`} {
		bob.sends(ask("get", "d", aliceBare, q))
		if got := bob.take(); strings.Contains(got[0].Payload, "secret") {
			t.Errorf("%s", show(got))
		}
	}
	bob.sends(ask("get", "d", aliceBare, `<query xmlns='http://jabber.org/protocol/disco#info' node='urn:secret'/>`))
	bob.gets(fails("iq", "d", "item-not-found"))
	if nodes, err := s.store.Reader().Query(`SELECT 1 FROM pubsub_nodes WHERE service <> 'alice@example.org'`); err != nil || nodes.Next() {
		t.Errorf("something is stored: %v", err)
	}
}

// XEP-0191: who is blocked gets nothing and reads nothing
func TestBlockedReader(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	s.put(aliceBare, bobBare, roster.Item{Subscription: roster.Both})
	s.put(bobBare, aliceBare, roster.Item{Subscription: roster.Both})
	alice, bob := s.online(alicePC), s.login(bobDesk).announces(announce("urn:x+notify"))
	alice.sends(pubsub("set", "1", "", publish("urn:x", "a", `<x xmlns='urn:x'/>`)+options("pubsub#access_model", "open")))
	bob.take()
	bob.sends(pubsub("set", "2", aliceBare, `<subscribe node='urn:x' jid='bob@example.org'/>`))
	bob.take()
	alice.sends(`<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='bob@example.org'/></block></iq>`)
	bob.take()
	alice.sends(pubsub("set", "3", "", publish("urn:x", "b", `<x xmlns='urn:x'/>`)))
	bob.gets()
	bob.sends(pubsub("get", "4", aliceBare, `<items node='urn:x'/>`))
	bob.gets(fails("iq", "4", "service-unavailable"))
	alice.sends(`<iq type='set' id='u'><unblock xmlns='urn:xmpp:blocking'/></iq>`)
	got := bob.take()
	if last := got[len(got)-1]; !strings.Contains(last.Payload, "id='b'") {
		t.Errorf("after the block: %s", show(got))
	}
}

// XEP-0060 §4.5: roster groups, which are looked at when something is published
func TestRosterAccess(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob", "carol")
	for _, who := range []string{"bob@example.org", "carol@example.org"} {
		item := roster.Item{Subscription: roster.Both}
		if who == bobBare {
			item.Groups = []string{"Friends"}
		}
		s.put(aliceBare, who, item)
		s.put(who, aliceBare, roster.Item{Subscription: roster.Both})
	}
	wanting := announce("urn:x+notify")
	alice, bob, carol := s.online(alicePC), s.login(bobDesk).announces(wanting), s.login("carol@example.org/x").announces(wanting)
	alice.sends(pubsub("set", "0", "", `<create node='urn:x'/><configure>`+
		submit(pubsubNS+`#node_config`, "pubsub#access_model", "roster", "pubsub#roster_groups_allowed", "Friends")+`</configure>`))
	bob.take()
	carol.take()
	alice.sends(pubsub("set", "1", "", publish("urn:x", "a", `<x xmlns='urn:x'/>`)))
	bob.gets(event(bobDesk, published("urn:x", "a", `<x xmlns='urn:x'/>`)))
	carol.gets()
	carol.sends(pubsub("get", "2", aliceBare, `<items node='urn:x'/>`))
	carol.gets(refused("2", "not-authorized", "not-in-roster-group"))
}

// One account cannot take all nodes of the host's service, nor subscribe others to its node.
func TestPubsubShares(t *testing.T) {
	t.Parallel()
	s := startWith(t, func(c *config.Config) { c.Pubsub.ServiceNodes = 200 }, "alice", "bob")
	alice, bob := s.online(alicePC), s.online(bobDesk)
	create := func(c *client, id, node string) {
		c.sends(pubsub("set", id, service, `<create node='`+node+`'/>`))
	}
	create(alice, "1", "a")
	create(alice, "2", "b")
	create(alice, "3", "c")
	alice.gets(result("1"), result("2"), fails("iq", "3", "resource-constraint"))
	create(bob, "4", "d")
	bob.gets(result("4"))
	subscriptions := func(id, address string) string {
		return `<iq type='set' id='` + id + `' to='` + service + `'><pubsub xmlns='` + pubsubNS + `#owner'><subscriptions node='a'><subscription jid='` + address +
			`' subscription='subscribed'/></subscriptions></pubsub></iq>`
	}
	alice.sends(subscriptions("5", "romeo@remote.example"), subscriptions("6", bobBare), subscriptions("7", aliceBare))
	alice.gets(fails("iq", "5", "not-acceptable"), fails("iq", "6", "not-acceptable"),
		news(aliceBare, `<subscription node='a' jid='alice@example.org' subscription='subscribed'/>`), result("7"))
}

// The nodes of one account take a hundredth of the service's space, whoever publishes there; what is removed makes room again.
func TestPubsubByteShares(t *testing.T) {
	t.Parallel()
	s := startWith(t, func(c *config.Config) { c.Pubsub.ServiceBytes, c.Pubsub.Payload = 100_000, 600 }, "alice", "bob")
	alice, bob := s.online(alicePC), s.online(bobDesk)
	half := entry(strings.Repeat("x", 400))
	alice.sends(pubsub("set", "1", service, publish("a", "1", half)+options("pubsub#publish_model", "open")), pubsub("set", "2", service, publish("b", "2", half)))
	alice.gets(`<iq type='result' id='1'/>`, `<iq type='result' id='2'/>`)
	alice.sends(pubsub("set", "3", service, publish("a", "3", half)))
	alice.gets(fails("iq", "3", "resource-constraint"))
	bob.sends(pubsub("set", "4", service, publish("a", "4", half)), pubsub("set", "5", service, publish("c", "5", half)))
	bob.gets(fails("iq", "4", "resource-constraint"), `<iq type='result' id='5'/>`)
	if n := s.count("pubsub.service_bytes"); n != 2 {
		t.Errorf("%d counted", n)
	}
	alice.sends(pubsub("set", "6", service, `<retract node='b'><item id='2'/></retract>`), pubsub("set", "7", service, publish("a", "7", half)))
	alice.gets(result("6"), `<iq type='result' id='7'/>`)
}

// A stranger does not learn by the list of its subscriptions which nodes an account has.
func TestSubscriptionsRevealNoNodes(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	alice, bob := s.online(alicePC), s.online(bobDesk)
	alice.sends(pubsub("set", "1", "", publish("urn:xmpp:bookmarks:1", "a", entry("1"))))
	alice.take()
	ask := func(node string) string {
		bob.sends(pubsub("get", "2", aliceBare, `<subscriptions node='`+node+`'/>`))
		return strings.ReplaceAll(show(bob.take()), node, "")
	}
	if got, want := ask("urn:xmpp:bookmarks:1"), ask("urn:xmpp:nothing"); got != want {
		t.Errorf("%s, and for a node that does not exist %s", got, want)
	}
}
