package featuretest

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

func listed(address string) string {
	sum := sha256.Sum256([]byte(address))
	return hex.EncodeToString(sum[:])
}

// listService is a component with a list: it answers with pages of two items.
type listService struct {
	t      testing.TB
	router *router.Router

	mu         sync.Mutex
	items      []string
	subscribed int
	during     func() // called once, before the last page
}

func (l *listService) Flush() {}

// Deliver answers requests.
func (l *listService) Deliver(st *stanza.Stanza) {
	if st.Kind != stanza.IQ || !st.IsRequest() {
		return
	}
	x := st.Child(pubsubNS, "pubsub")
	if x.Child(pubsubNS, "subscribe") != nil {
		l.mu.Lock()
		l.subscribed++
		l.mu.Unlock()
		l.router.Route(st.Result(stanza.NewElement(pubsubNS, "pubsub").Add(stanza.NewElement(pubsubNS, "subscription").With("subscription", "subscribed"))))
		return
	}
	l.mu.Lock()
	all, during := slices.Clone(l.items), l.during
	after := x.Child("http://jabber.org/protocol/rsm", "set").ChildText("http://jabber.org/protocol/rsm", "after")
	rest := all[slices.Index(all, after)+1:]
	last := len(rest) <= 2
	if last {
		l.during = nil
	}
	l.mu.Unlock()
	if last && during != nil {
		during()
	}
	page := rest[:min(2, len(rest))]
	items := stanza.NewElement(pubsubNS, "items").With("node", "spam")
	for _, id := range page {
		items.Add(stanza.NewElement(pubsubNS, "item").With("id", id))
	}
	answer := stanza.NewElement(pubsubNS, "pubsub").Add(items)
	if len(page) > 0 {
		answer.Add(stanza.NewElement("http://jabber.org/protocol/rsm", "set").Add(stanza.TextElement("http://jabber.org/protocol/rsm", "last", page[len(page)-1])))
	}
	l.router.Route(st.Result(answer))
}

// notifies sends a notification, from any address.
func (l *listService) notifies(from, node, content string) {
	l.router.Route(parse(l.t, `<message from='`+from+`' to='example.org' type='headline'><event xmlns='`+pubsubNS+`#event'>`+strings.Replace(content, "<items", "<items node='"+node+"'", 1)+`</event></message>`))
}

func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if f() {
			return
		}
	}
	t.Fatal("not: " + what)
}

// refuses reports whether a message of a stranger to alice is refused.
func (s *testServer) refuses(from string) bool {
	s.remote.take()
	s.remote.sends(message("chat", from, aliceBare, body("x")))
	return strings.Contains(show(s.remote.take()), "policy-violation")
}

func subscribing(c *config.Config) {
	admins("boss")(c)
	c.Strangers.Subscribe = []string{"xmpp:gw.example.org?;node=spam"}
}

// A list of another service is read by pages and followed; it is kept when the service is away and after a restart.
func TestBlockListOfService(t *testing.T) {
	t.Parallel()
	url := storetest.URL(t)
	s := startWith(t, func(c *config.Config) { subscribing(c); c.Limits.BlockListEntries, c.Store.URL = 6, url }, "alice", "boss")
	s.online(alicePC)
	l := &listService{t: t, router: s.router, items: []string{listed("a@remote.example"), listed("b@remote.example"), "no hash", listed("spam.example"), listed("c@remote.example")}}
	l.during = func() { // while the list is read, an entry comes and one that was read goes
		l.notifies("gw.example.org", "spam", `<items><item id='`+listed("d@remote.example")+`'/></items>`)
		l.notifies("gw.example.org", "spam", `<items><retract id='`+listed("a@remote.example")+`'/></items>`)
	}
	var first []*stanza.Stanza
	eventually(t, "the host subscribes", func() bool { first = append(first, s.gateway.take()...); return len(first) > 0 })
	s.router.Detach(gateway)
	if err := s.router.Attach(gateway, l); err != nil {
		t.Fatal(err)
	}
	for _, st := range first {
		l.Deliver(st)
	}
	eventually(t, "the list is read", func() bool { return s.refuses("c@remote.example/x") && s.refuses("d@remote.example") })
	for from, want := range map[string]bool{"a@remote.example": false, "b@remote.example/y": true, "eve@spam.example": true, "fine@remote.example": false} {
		if s.refuses(from) != want {
			t.Errorf("%s: %v", from, !want)
		}
	}

	// Changes count only if they are the service's, about the node.
	e := listed("e@remote.example")
	for _, from := range []string{"remote.example", "eve@gw.example.org", "gw.example.org/x", "eve@remote.example"} {
		l.notifies(from, "spam", `<items><item id='`+e+`'/></items>`)
	}
	l.notifies("gw.example.org", "other", `<items><item id='`+e+`'/></items>`)
	l.notifies("gw.example.org", "spam", `<items><item id='x'/><item id='`+e[1:]+`g'/></items>`)
	l.notifies("remote.example", "spam", `<purge node='spam'/>`)
	if s.refuses("e@remote.example") || !s.refuses("b@remote.example") {
		t.Error("a forged notification counts")
	}
	l.notifies("gw.example.org", "spam", `<items><item id='`+strings.ToUpper(e)+`'/></items>`)
	if !s.refuses("e@remote.example") {
		t.Error("a new entry does not count")
	}
	for _, a := range []string{"f@remote.example", "g@remote.example"} { // the seventh is too many
		l.notifies("gw.example.org", "spam", `<items><item id='`+listed(a)+`'/></items>`)
	}
	if s.refuses("g@remote.example") || s.count("limits.block_list_entries") == 0 {
		t.Error("the list is not limited")
	}
	boss := s.online("boss@example.org/x")
	has(t, []string{boss.command("block-lists")}, "spam at gw.example.org: 6 entries (3 items were no hashes); read at")
	has(t, []string{s.online(phoneJID).command("block-lists")}, "<forbidden")

	// The subscription ends: it is subscribed to and read again.
	l.mu.Lock()
	subscribed := l.subscribed
	l.items = []string{listed("h@remote.example")}
	l.mu.Unlock()
	l.notifies("gw.example.org", "spam", `<subscription node='spam' jid='example.org' subscription='none'/>`)
	eventually(t, "the list is read again", func() bool { return s.refuses("h@remote.example") && !s.refuses("b@remote.example") })
	l.mu.Lock()
	if l.subscribed <= subscribed {
		t.Error("not subscribed again")
	}
	l.mu.Unlock()

	// After a restart the list is in force, although the service does not answer.
	s.stop()
	s = startWith(t, func(c *config.Config) { subscribing(c); c.Store.URL = url })
	s.online(alicePC)
	if !s.refuses("h@remote.example") {
		t.Error("the list is lost")
	}
	s.stop()
	s = startWith(t, func(c *config.Config) { c.Store.URL = url }) // not subscribed any more
	s.online(alicePC)
	if s.refuses("h@remote.example") {
		t.Error("the list is in force without a subscription")
	}
}

// A list at the service of this server, which does not have the node at first.
func TestOwnBlockList(t *testing.T) {
	t.Parallel()
	s := startWith(t, func(c *config.Config) { c.Strangers.Subscribe = []string{"pubsub.example.org"} }, "alice", "bob")
	s.online(alicePC)
	bob := s.online(bobDesk)
	entry := func(address string) string {
		return pubsub("set", "1", service, publish("muc_bans_sha256", listed(address), `<entry xmlns='x:y'/>`))
	}
	bob.sends(entry("a@remote.example"))
	eventually(t, "the list is read", func() bool { return s.refuses("a@remote.example") })
	bob.sends(entry("b@remote.example"))
	eventually(t, "the list is followed", func() bool { return s.refuses("b@remote.example") })
	bob.sends(owner("set", "2", service, `<purge node='muc_bans_sha256'/>`))
	eventually(t, "the list is empty", func() bool { return !s.refuses("a@remote.example") && !s.refuses("b@remote.example") })
}
