package featuretest

import (
	"crypto/sha1"
	"encoding/base64"
	"sort"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/features/roster"
)

// announced are capabilities of a test client.
type announced struct{ ver, features string }

// announce returns capabilities with these features (XEP-0115 §5.1).
func announce(features ...string) announced {
	sort.Strings(features)
	var a announced
	text := "client/pc//test<"
	for _, f := range features {
		text += f + "<"
		a.features += `<feature var='` + f + `'/>`
	}
	sum := sha1.Sum([]byte(text))
	a.ver = base64.StdEncoding.EncodeToString(sum[:])
	return a
}

func (a announced) presence() string {
	return `<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:test' ver='` + a.ver + `'/></presence>`
}

// answer is the result for a question with that id.
func (a announced) answer(id string) string {
	return `<iq type='result' id='` + id + `'><query xmlns='http://jabber.org/protocol/disco#info' node='urn:test#` + a.ver +
		`'><identity category='client' type='pc' name='test'/>` + a.features + `</query></iq>`
}

// announces makes a session available with capabilities, and answers what they are if that is asked.
func (c *client) announces(a announced) *client {
	c.t.Helper()
	c.sends(a.presence())
	for _, st := range c.take() {
		if st.Type == "get" && st.FirstChild().Attr("node") == "urn:test#"+a.ver {
			c.sends(a.answer(st.ID))
		}
	}
	return c
}

const (
	pubsubNS = `http://jabber.org/protocol/pubsub`
	nick     = `http://jabber.org/protocol/nick`
)

func pubsub(typ, id, to, inner string) string {
	return ask(typ, id, to, `<pubsub xmlns='`+pubsubNS+`'>`+inner+`</pubsub>`)
}

func owner(typ, id, to, inner string) string {
	return ask(typ, id, to, `<pubsub xmlns='`+pubsubNS+`#owner'>`+inner+`</pubsub>`)
}

func publish(node, item, payload string) string {
	return `<publish node='` + node + `'><item id='` + item + `'>` + payload + `</item></publish>`
}

func options(fields ...string) string {
	return `<publish-options>` + submit(pubsubNS+`#publish-options`, fields...) + `</publish-options>`
}

// submit is a form with pairs of names and values.
func submit(formType string, fields ...string) string {
	x := `<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>` + formType + `</value></field>`
	for i := 0; i < len(fields); i += 2 {
		x += `<field var='` + fields[i] + `'><value>` + fields[i+1] + `</value></field>`
	}
	return x + `</x>`
}

func nickname(name string) string { return `<nick xmlns='` + nick + `'>` + name + `</nick>` }

// event is a notification from Alice's account.
func event(to, inner string) string {
	return `<message type='headline' from='alice@example.org' to='` + to + `'><event xmlns='` + pubsubNS + `#event'>` + inner + `</event></message>`
}

func published(node, item, payload string) string {
	return `<items node='` + node + `'><item id='` + item + `' publisher='-'>` + payload + `</item></items>`
}

// refused is an error with a condition of pubsub#errors.
func refused(id, condition, specific string) string {
	return `<iq type='error' id='` + id + `'><error><` + condition + ` xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><` + specific + ` xmlns='` + pubsubNS + `#errors'/></error></iq>`
}

// XEP-0163 §4.3: whoever wants to know gets what is published, and the last item when becoming available.
func TestPEP(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob", "carol")
	s.put(aliceBare, bobBare, roster.Item{Subscription: roster.From})
	s.put(bobBare, aliceBare, roster.Item{Subscription: roster.To})
	wanting := announce(nick + "+notify")
	alice, phone, bob, silent := s.login(alicePC), s.login(phoneJID), s.login(bobDesk), s.login("bob@example.org/silent")
	carol := s.login("carol@example.org/x").announces(wanting)
	alice.announces(wanting)
	phone.announces(announce("urn:other"))
	bob.announces(wanting)
	silent.announces(announce("urn:other"))
	for _, c := range []*client{alice, phone, bob, silent, carol} {
		c.take()
	}
	alice.sends(pubsub("set", "1", "", publish(nick, "current", nickname("Al"))))
	alice.gets(event(alicePC, published(nick, "current", nickname("Al"))),
		`<iq type='result' id='1'><pubsub xmlns='`+pubsubNS+`'><publish node='`+nick+`'><item id='current'/></publish></pubsub></iq>`)
	bob.gets(event(bobDesk, published(nick, "current", nickname("Al"))))
	for _, c := range []*client{phone, silent, carol} {
		c.gets()
	}
	bob.drop()
	alice.take()
	bob = s.login(bobDesk)
	bob.sends(wanting.presence())
	got := bob.take()
	if last := got[len(got)-1]; last.Child(pubsubNS+"#event", "event") == nil || last.Child("urn:xmpp:delay", "delay") == nil {
		t.Errorf("last item: %s", show(got))
	}
	bob.sends(wanting.presence()) // no new session, nothing new
	bob.gets(`<presence from='bob@example.org/desk'/>`)
	bob.sends(pubsub("get", "2", aliceBare, `<items node='`+nick+`'/>`))
	bob.gets(`<iq type='result' id='2'><pubsub xmlns='` + pubsubNS + `'>` + published(nick, "current", nickname("Al")) + `</pubsub></iq>`)
	carol.sends(pubsub("get", "3", aliceBare, `<items node='`+nick+`'/>`))
	carol.gets(refused("3", "not-authorized", "presence-subscription-required"))
}

// XEP-0060 §7.1.5, XEP-0223: options are preconditions, and configure a new node
func TestPublishOptions(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	s.put(aliceBare, bobBare, roster.Item{Subscription: roster.Both})
	s.put(bobBare, aliceBare, roster.Item{Subscription: roster.Both})
	alice, bob := s.online(alicePC), s.login(bobDesk).announces(announce("urn:x+notify"))
	alice.take()
	bob.take()
	private := options("pubsub#persist_items", "true", "pubsub#access_model", "whitelist", "pubsub#max_items", "max", "pubsub#send_last_published_item", "never")
	alice.sends(pubsub("set", "1", "", publish("urn:x", "a", `<x xmlns='urn:x'/>`)+private), pubsub("set", "2", "", publish("urn:x", "b", `<x xmlns='urn:x'/>`)+private))
	alice.gets(result("1"), result("2"))
	bob.gets()
	for i, wrong := range []string{options("pubsub#access_model", "open"), options("pubsub#max_items", "7"), options("urn:unknown", "1"), options("pubsub#access_model", "secret")} {
		id := string(rune('a' + i))
		alice.sends(pubsub("set", id, "", publish("urn:x", "c", `<x xmlns='urn:x'/>`)+wrong))
		alice.gets(refused(id, "conflict", "precondition-not-met"))
	}
	alice.sends(pubsub("set", "u", "", publish("urn:new", "c", `<x xmlns='urn:x'/>`)+options("urn:unknown", "1")))
	alice.gets(refused("u", "conflict", "precondition-not-met"))
	alice.sends(pubsub("get", "3", "", `<items node='urn:x'/>`), pubsub("get", "4", "", `<items node='urn:new'/>`))
	got := alice.take()
	if ids := strings.Count(got[0].Payload, "<item id="); ids != 2 || got[1].Err() == nil || got[1].Err().Condition != "item-not-found" {
		t.Errorf("%s", show(got))
	}
	alice.sends(owner("set", "5", "", `<configure node='urn:x'>`+submit(pubsubNS+`#node_config`, "pubsub#access_model", "presence")+`</configure>`),
		pubsub("set", "6", "", publish("urn:x", "c", `<x xmlns='urn:x'/>`)+options("pubsub#access_model", "presence")))
	alice.gets(result("5"), result("6"))
	bob.gets(event(bobDesk, published("urn:x", "c", `<x xmlns='urn:x'/>`)))
}
