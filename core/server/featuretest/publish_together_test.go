package featuretest

import (
	"fmt"
	"testing"

	"github.com/dragoman-im/dragoman/core/features/roster"
)

// submits sends stanzas that arrive together.
func (c *client) submits(xml ...string) {
	c.t.Helper()
	for _, x := range xml {
		st := parse(c.t, x)
		st.From = c.jid
		c.port.Submit(c.batch, st)
	}
	c.batch.Flush()
	c.s.awaitLookups()
}

// What is published together is stored together; whoever looks sees the same as if one request had come after the other, and contacts are
// notified in order.
func TestPublishTogether(t *testing.T) {
	t.Parallel()
	s := start(t, "alice", "bob")
	s.put(aliceBare, bobBare, roster.Item{Subscription: roster.From})
	s.put(bobBare, aliceBare, roster.Item{Subscription: roster.To})
	alice, bob := s.online(alicePC), s.login(bobDesk).announces(announce(nick+"+notify"))
	bob.take()
	alice.take()
	result := func(id string) string { return `<iq type='result' id='` + id + `'/>` }
	items := func(name string) string {
		return `<iq type='result' id='get'><pubsub xmlns='` + pubsubNS + `'><items node='` + nick + `'><item id='current'>` + nickname(name) + `</item></items></pubsub></iq>`
	}
	get := pubsub("get", "get", "", `<items node='`+nick+`'/>`)
	set := func(i int) string {
		return pubsub("set", fmt.Sprint(i), "", publish(nick, "current", nickname(fmt.Sprint("Al", i))))
	}
	alice.submits(set(1), set(2), get, set(3), pubsub("set", "bad", "", publish(nick, "current", `no XML element`)), set(4), get)
	alice.gets(result("1"), result("2"), items("Al2"), result("3"), refused("bad", "bad-request", "payload-required"), result("4"), items("Al4"))
	var want []string
	for i := 1; i <= 4; i++ {
		want = append(want, event(bobDesk, published(nick, "current", nickname(fmt.Sprint("Al", i)))))
	}
	bob.gets(want...)
}
