package featuretest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/features/roster"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// XEP-0060 §10: what the host's service and accounts advertise is what tests show; each feature is here with one of them.
func TestPubsubFeatures(t *testing.T) {
	t.Parallel()
	both := map[string]func(*testing.T){
		"auto-create": TestItems, "config-node": TestPubsubService, "config-node-max": TestNodeFull, "create-and-configure": TestPubsubService,
		"create-nodes": TestPubsubService, "delete-items": TestPubsubService, "delete-nodes": TestPubsubService, "instant-nodes": TestPubsubErrors,
		"item-ids": TestItems, "manage-subscriptions": TestApproval, "member-affiliation": TestAffiliations, "meta-data": TestNodeMetadata,
		"modify-affiliations": TestAffiliations, "multi-items": TestItems, "outcast-affiliation": TestAffiliations, "persistent-items": TestItems,
		"publish": TestPubsubService, "publish-node-full": TestNodeFull, "publish-only-affiliation": TestAffiliations,
		"publish-options": TestPublishOptions, "publisher-affiliation": TestAffiliations, "purge-nodes": TestPubsubService,
		"retract-items": TestPubsubService, "retrieve-affiliations": TestOwnLists, "retrieve-default": TestDefaultForms,
		"retrieve-default-sub": TestDefaultForms, "retrieve-items": TestItems, "retrieve-subscriptions": TestOwnLists, "rsm": TestItems,
		"subscribe": TestPubsubService, "subscription-notifications": TestSubscriptionChanges, "subscription-options": TestSubscriptionOptions,
	}
	ofHost := map[string]func(*testing.T){"access-open": TestDefaultForms, "get-pending": TestPendingSubscriptions}
	ofAccount := map[string]func(*testing.T){
		"access-presence": TestDefaultForms, "auto-subscribe": TestPEP, "filtered-notifications": TestPEP, "last-published": TestLastPublished,
		"presence-notifications": TestPresenceNotifications, "presence-subscribe": TestPEP,
	}
	maps.Copy(ofHost, both)
	maps.Copy(ofAccount, both)
	s := start(t, "alice")
	alice := s.online(alicePC)
	for to, shown := range map[string]map[string]func(*testing.T){service: ofHost, aliceBare: ofAccount} {
		alice.sends(ask("get", "d", to, `<query xmlns='http://jabber.org/protocol/disco#info'/>`))
		var got []string
		for f := range alice.take()[0].FirstChild().Elements() {
			if name, is := strings.CutPrefix(f.Attr("var"), pubsubNS+"#"); is {
				got = append(got, name)
			}
		}
		slices.Sort(got)
		if want := slices.Sorted(maps.Keys(shown)); !slices.Equal(got, want) {
			t.Errorf("%s advertises\n%v\nand what is shown is\n%v", to, got, want)
		}
	}
}

// fieldsOf returns the values of the only form in a stanza.
func fieldsOf(st *stanza.Stanza) map[string]string {
	fields := map[string]string{}
	var walk func(e *stanza.Element)
	walk = func(e *stanza.Element) {
		for c := range e.Elements() {
			if c.Is("jabber:x:data", "field") {
				fields[strings.TrimPrefix(c.Attr("var"), "pubsub#")] = c.ChildText("jabber:x:data", "value")
			} else {
				walk(c)
			}
		}
	}
	if first := st.FirstChild(); first != nil {
		walk(first)
	}
	return fields
}

// XEP-0060 §8.3, §6.4: the default forms, with the access models that are advertised as the default ones
func TestDefaultForms(t *testing.T) {
	t.Parallel()
	s := start(t, "alice")
	alice := s.online(alicePC)
	for to, want := range map[string][2]string{service: {"open", "never"}, aliceBare: {"presence", "on_sub_and_presence"}} {
		alice.sends(owner("get", "1", to, `<default/>`), pubsub("get", "2", to, `<default/>`))
		got := alice.take()
		if f := fieldsOf(got[0]); f["access_model"] != want[0] || f["send_last_published_item"] != want[1] {
			t.Errorf("%s: %v", to, f)
		}
		if f := fieldsOf(got[1]); f["deliver"] != "1" {
			t.Errorf("%s: %v", to, f)
		}
	}
}

// XEP-0060 §5.4: the metadata of a node
func TestNodeMetadata(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	s.put(aliceBare, bobBare, roster.Item{Subscription: roster.From}) // an account answers its contacts only
	alice, bob := s.online(alicePC), s.online(bobDesk)
	for _, at := range []struct{ to, owner string }{{service, aliceBare}, {aliceBare, aliceBare}} {
		alice.sends(pubsub("set", "1", at.to, `<create node='n'/><configure>`+submit(pubsubNS+`#node_config`, "pubsub#title", "N", "pubsub#access_model", "open")+`</configure>`))
		alice.take()
		bob.sends(pubsub("set", "2", at.to, `<subscribe node='n' jid='bob@example.org'/>`))
		bob.take()
		bob.sends(ask("get", "3", at.to, `<query xmlns='http://jabber.org/protocol/disco#info' node='n'/>`))
		got := bob.take()
		f := fieldsOf(got[0])
		if f["FORM_TYPE"] != pubsubNS+"#meta-data" || f["title"] != "N" || f["access_model"] != "open" || f["owner"] != at.owner || f["num_subscribers"] != "1" || f["creation_date"] == "" {
			t.Errorf("%s: %s", at.to, show(got))
		}
	}
}

// XEP-0060 §7.1.2.5, §7.1.3.4: what happens when a node is full; max is the most that the service allows
func TestNodeFull(t *testing.T) {
	t.Parallel()
	s := startWith(t, func(c *config.Config) { c.Pubsub.Items = 3 }, "alice", "bob")
	alice, bob := s.online(alicePC), s.online(bobDesk)
	for _, c := range []struct{ max, full, kept, retracted string }{
		{"2", "retract-oldest", "3 4", "1 2"}, {"2", "discard-oldest", "3 4", ""}, {"2", "reject", "1 2", ""}, {"max", "discard-oldest", "2 3 4", ""},
	} {
		node := c.full + c.max
		alice.sends(pubsub("set", "c", service, `<create node='`+node+`'/><configure>`+
			submit(pubsubNS+`#node_config`, "pubsub#max_items", c.max, "pubsub#publish_node_full", c.full, "pubsub#item_expire", "max")+`</configure>`))
		alice.gets(result("c"))
		bob.sends(pubsub("set", "s", service, `<subscribe node='`+node+`' jid='bob@example.org'/>`))
		bob.take()
		for i := range 4 {
			id := fmt.Sprint(i + 1)
			alice.sends(pubsub("set", id, service, publish(node, id, entry(id))))
			if got := alice.take()[0]; i >= 2 && c.full == "reject" {
				if got.Err() == nil || got.Err().Condition != "conflict" || !strings.Contains(got.Payload, "<node-full ") {
					t.Errorf("%s: %s", node, got.Payload)
				}
			} else if got.Type != "result" {
				t.Errorf("%s: %s", node, got.Payload)
			}
		}
		var retracted, kept []string
		for _, st := range bob.take() {
			for r := range st.Child(pubsubNS+"#event", "event").Child(pubsubNS+"#event", "items").Named(pubsubNS+"#event", "retract") {
				retracted = append(retracted, r.Attr("id"))
			}
		}
		alice.sends(pubsub("get", "i", service, `<items node='`+node+`'/>`))
		for i := range alice.take()[0].FirstChild().Child(pubsubNS, "items").Elements() {
			kept = append(kept, i.Attr("id"))
		}
		if strings.Join(kept, " ") != c.kept || strings.Join(retracted, " ") != c.retracted {
			t.Errorf("%s: kept %v, retracted %v", node, kept, retracted)
		}
	}
}

// XEP-0060 §5.6, §5.7: one's own subscriptions and affiliations, of all nodes and of one
func TestOwnLists(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	alice, bob := s.online(alicePC), s.online(bobDesk)
	for i, a := range []string{"publisher", "member", "outcast", "none"} {
		node := fmt.Sprint("n", i)
		alice.sends(pubsub("set", "c", service, `<create node='`+node+`'/>`))
		bob.sends(pubsub("set", "s", service, `<subscribe node='`+node+`' jid='bob@example.org'/>`))
		alice.sends(owner("set", "a", service, `<affiliations node='`+node+`'><affiliation jid='bob@example.org' affiliation='`+a+`'/></affiliations>`))
	}
	bob.take()
	bob.sends(pubsub("get", "1", service, `<subscriptions/>`), pubsub("get", "2", service, `<subscriptions node='n1'/>`),
		pubsub("get", "3", service, `<affiliations/>`), pubsub("get", "4", service, `<affiliations node='n1'/>`))
	subscribed := func(node string) string {
		return `<subscription node='` + node + `' jid='bob@example.org' subid='*' subscription='subscribed'/>`
	}
	answer := func(id, inner string) string {
		return `<iq type='result' id='` + id + `'><pubsub xmlns='` + pubsubNS + `'>` + inner + `</pubsub></iq>`
	}
	bob.gets(answer("1", `<subscriptions>`+subscribed("n0")+subscribed("n1")+subscribed("n3")+`</subscriptions>`),
		answer("2", `<subscriptions node='n1'>`+subscribed("n1")+`</subscriptions>`),
		answer("3", `<affiliations><affiliation node='n0' affiliation='publisher'/><affiliation node='n1' affiliation='member'/><affiliation node='n2' affiliation='outcast'/></affiliations>`),
		answer("4", `<affiliations node='n1'><affiliation node='n1' affiliation='member'/></affiliations>`))
}

// XEP-0060 §6.3: the options of a subscription
func TestSubscriptionOptions(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	alice, bob := s.online(alicePC), s.online(bobDesk)
	alice.sends(pubsub("set", "c", service, `<create node='n'/>`))
	deliver := func(value string) string {
		return submit(pubsubNS+`#subscribe_options`, "pubsub#deliver", value)
	}
	bob.sends(pubsub("set", "1", service, `<subscribe node='n' jid='bob@example.org'/><options>`+deliver("0")+`</options>`))
	bob.take()
	alice.sends(pubsub("set", "p", service, publish("n", "a", entry("a"))))
	bob.gets()
	bob.sends(pubsub("get", "2", service, `<options node='n' jid='bob@example.org'/>`))
	if f := fieldsOf(bob.take()[0]); f["deliver"] != "0" {
		t.Errorf("%v", f)
	}
	bob.sends(pubsub("set", "3", service, `<options node='n' jid='bob@example.org'>`+deliver("maybe")+`</options>`))
	bob.gets(refused("3", "bad-request", "invalid-options")) // §6.3.5.2
	bob.sends(pubsub("set", "4", service, `<options node='n' jid='bob@example.org'>`+deliver("1")+`</options>`))
	bob.gets(result("4"))
	alice.sends(pubsub("set", "p", service, publish("n", "b", entry("b"))))
	bob.gets(news(bobBare, `<items node='n'><item id='b'/></items>`))
}

// XEP-0060 §8.9.2.4, §12.14: a subscriber learns when its affiliation ends its subscription, or grants what it waits for
func TestSubscriptionChanges(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	alice, bob := s.online(alicePC), s.online(bobDesk)
	for _, c := range []struct{ access, affiliation, state string }{
		{"open", "outcast", "none"}, {"authorize", "outcast", "none"}, {"authorize", "publisher", "subscribed"}, {"authorize", "owner", "subscribed"},
		{"open", "publisher", ""}, {"authorize", "member", ""},
	} {
		node := c.access + c.affiliation
		alice.sends(pubsub("set", "c", service, `<create node='`+node+`'/><configure>`+submit(pubsubNS+`#node_config`, "pubsub#access_model", c.access)+`</configure>`))
		bob.sends(pubsub("set", "s", service, `<subscribe node='`+node+`' jid='bob@example.org'/>`))
		bob.take()
		alice.sends(owner("set", "a", service, `<affiliations node='`+node+`'><affiliation jid='bob@example.org' affiliation='`+c.affiliation+`'/></affiliations>`))
		if c.state == "" {
			bob.gets()
			continue
		}
		bob.gets(news(bobBare, `<subscription node='`+node+`' jid='bob@example.org' subscription='`+c.state+`'/>`))
	}
}

// XEP-0060 §6.1.7: a new subscriber of an account's node gets the last item, one of the host's service does not
func TestLastPublished(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	alice, bob := s.online(alicePC), s.online(bobDesk)
	for to, count := range map[string]int{service: 1, aliceBare: 2} {
		alice.sends(pubsub("set", "1", to, publish("n", "a", entry("a"))+options("pubsub#access_model", "open")))
		bob.sends(pubsub("set", "2", to, `<subscribe node='n' jid='bob@example.org'/>`))
		got := bob.take()
		if len(got) != count || count == 2 && !strings.Contains(got[0].Payload+got[1].Payload, "urn:xmpp:delay") {
			t.Errorf("%s: %s", to, show(got))
		}
	}
}

// XEP-0060 §12.6: notifications of an account's node go to available subscribers, as the node says; a domain does not know who is
func TestPresenceNotifications(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	s.put(aliceBare, bobBare, roster.Item{Subscription: roster.From})
	alice, bob := s.online(alicePC), s.login(bobDesk)
	alice.sends(pubsub("set", "1", "", publish("n", "a", entry("a"))+options("pubsub#presence_based_delivery", "true", "pubsub#send_last_published_item", "never")))
	bob.sends(pubsub("set", "2", aliceBare, `<subscribe node='n' jid='`+bobDesk+`'/>`))
	bob.take()
	publishes := func(id string) {
		alice.sends(pubsub("set", id, "", publish("n", id, entry(id))))
	}
	publishes("b")
	bob.gets()
	bob.sends(`<presence/>`)
	bob.take()
	publishes("c")
	bob.gets(event(bobDesk, published("n", "c", entry("c"))))
	bob.sends(`<presence type='unavailable'/>`)
	bob.take()
	publishes("d")
	bob.gets()
	alice.sends(owner("set", "e", "", configure("n", "pubsub#presence_based_delivery", "false")))
	publishes("f")
	bob.gets(event(bobDesk, published("n", "f", entry("f"))))
	alice.take()
	alice.sends(pubsub("set", "g", service, `<create node='n'/><configure>`+submit(pubsubNS+`#node_config`, "pubsub#presence_based_delivery", "1")+`</configure>`))
	alice.gets(fails("iq", "g", "not-acceptable"))
}

// XEP-0060 §16.4.4 pubsub#notify_sub, §12.14: owners hear of new and former subscribers, if they want to
func TestOwnersNotified(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	alice, bob := s.online(alicePC), s.online(bobDesk)
	alice.sends(pubsub("set", "1", service, `<create node='blog'/>`))
	alice.gets(result("1"))
	subscription := func(state string) string {
		return `<subscription node='blog' jid='bob@example.org' subid='*' subscription='` + state + `'/>`
	}
	subscribe := func(id string) {
		t.Helper()
		bob.sends(pubsub("set", id, service, `<subscribe node='blog' jid='bob@example.org'/>`))
		bob.gets(`<iq type='result' id='` + id + `' from='` + service + `'><pubsub xmlns='` + pubsubNS + `'>` + subscription("subscribed") + `</pubsub></iq>`)
	}
	subscribe("2")
	bob.sends(pubsub("set", "3", service, `<unsubscribe node='blog' jid='bob@example.org'/>`))
	bob.gets(result("3"))
	alice.sends(owner("set", "4", service, configure("blog", "pubsub#notify_sub", "1")))
	alice.gets(result("4")) // and nothing about what was before
	subscribe("5")
	alice.gets(news("alice@example.org", subscription("subscribed")))
	subscribe("6") // it is there already
	bob.sends(pubsub("set", "7", service, `<unsubscribe node='blog' jid='bob@example.org'/>`))
	bob.gets(result("7"))
	alice.gets(news("alice@example.org", subscription("none")))
	// An owner ends a subscription, of which other owners hear, too.
	subscribe("8")
	alice.gets(news("alice@example.org", subscription("subscribed")))
	alice.sends(owner("set", "9", service, `<subscriptions node='blog'><subscription jid='bob@example.org' subscription='none'/></subscriptions>`))
	bob.gets(news(bobBare, subscription("none")))
	alice.gets(news("alice@example.org", subscription("none")), result("9"))
}

// XEP-0060 §12.17 pubsub#itemreply: items name their publishers, or do not
func TestItemReply(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	alice, bob := s.online(alicePC), s.online(bobDesk)
	create := func(node string, fields ...string) {
		t.Helper()
		alice.sends(pubsub("set", node, service, `<create node='`+node+`'/><configure>`+submit(pubsubNS+`#node_config`, fields...)+`</configure>`))
	}
	create("named", "pubsub#itemreply", "publisher")
	create("nameless", "pubsub#itemreply", "none")
	create("owned", "pubsub#itemreply", "owner") // is not offered
	alice.gets(result("named"), result("nameless"), fails("iq", "owned", "not-acceptable"))
	for node, publisher := range map[string]string{"named": ` publisher='alice@example.org'`, "nameless": ""} {
		bob.sends(pubsub("set", "1", service, `<subscribe node='`+node+`' jid='bob@example.org'/>`))
		bob.take()
		alice.sends(pubsub("set", "2", service, publish(node, "one", entry("1"))))
		alice.take()
		items := `<items node='` + node + `'><item id='one'` + publisher + `>` + entry("1") + `</item></items>`
		bob.gets(news(bobBare, items))
		bob.sends(pubsub("get", "3", service, `<items node='`+node+`'/>`))
		bob.gets(`<iq type='result' id='3' from='` + service + `'><pubsub xmlns='` + pubsubNS + `'>` + items + `</pubsub></iq>`)
	}
	// A publisher can rely on it.
	alice.sends(pubsub("set", "4", service, publish("nameless", "two", entry("2"))+options("pubsub#itemreply", "none", "pubsub#notify_sub", "0")),
		pubsub("set", "5", service, publish("nameless", "three", entry("3"))+options("pubsub#itemreply", "publisher")))
	alice.gets(`<iq type='result' id='4'/>`, refused("5", "conflict", "precondition-not-met"))
}
