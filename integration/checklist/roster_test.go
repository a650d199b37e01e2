package checklist

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/integration/xmltree"
)

func rosterQuery(inside string) string {
	return "<query xmlns='" + nsRoster + "'>" + inside + "</query>"
}

// roster reads the account's contacts, written shortly.
func (w *rawClient) roster() []string {
	w.t.Helper()
	e := w.ask("get", "", rosterQuery(""))
	q := e.Child(nsRoster, "query")
	if q == nil {
		w.t.Fatalf("roster: %s", e)
	}
	items := make([]string, 0, len(q.Children))
	for _, item := range q.Children {
		items = append(items, item0(item))
	}
	slices.Sort(items)
	return items
}

// item0 writes an item: address, name, subscription with ask and approval, groups.
func item0(item *xmltree.Element) string {
	text := item.Attr("jid") + " " + item.Attr("subscription")
	if item.Attr("ask") == "subscribe" {
		text += "+ask"
	}
	if a := item.Attr("approved"); a == "true" || a == "1" {
		text += "+approved"
	}
	if name := item.Attr("name"); name != "" {
		text += " " + fmt.Sprintf("%q", name)
	}
	var groups []string
	for _, g := range item.Children {
		groups = append(groups, g.Text)
	}
	if slices.Sort(groups); len(groups) > 0 {
		text += " " + fmt.Sprintf("%q", groups)
	}
	return text
}

// pushed are the items that pushes in a list have.
func pushed(t *testing.T, list []*xmltree.Element, account string) []string {
	t.Helper()
	var items []string
	for _, e := range list {
		q := e.Child(nsRoster, "query")
		if e.Name.Local != "iq" || e.Attr("type") != "set" || q == nil {
			continue
		}
		if from := e.Attr("from"); from != "" && from != account || len(q.Children) != 1 || e.Attr("id") == "" {
			t.Errorf("push: %s", e)
			continue
		}
		items = append(items, item0(q.Children[0]))
	}
	return items
}

// put sets an item and returns the answer.
func (w *rawClient) put(item string) *xmltree.Element {
	w.t.Helper()
	return w.ask("set", "", rosterQuery(item))
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestRosterGet(t *testing.T) { // checklist 65
	h := sharedServer(t)
	w := h.session(t, newAccount(t), "")
	unaware := h.session(t, user(w), "")
	e := w.ask("get", "", rosterQuery(""))
	if q := e.Child(nsRoster, "query"); e.Attr("type") != "result" || q == nil || len(q.Children) > 0 {
		t.Errorf("an empty roster: %s", e)
	}
	for i := range 3 {
		unaware.put(fmt.Sprintf("<item jid='c%d@example.org' name='N %d'><group>G</group></item>", i, i))
	}
	same(t, "told", pushed(t, w.settle(), w.bare()), []string{`c0@example.org none "N 0" ["G"]`, `c1@example.org none "N 1" ["G"]`, `c2@example.org none "N 2" ["G"]`})
	unaware.nothing() // it has not read the roster
	same(t, "roster", w.roster(), []string{`c0@example.org none "N 0" ["G"]`, `c1@example.org none "N 1" ["G"]`, `c2@example.org none "N 2" ["G"]`})
	other := h.session(t, newAccount(t), "")
	for _, typ := range []string{"get", "set"} {
		if e := other.ask(typ, w.bare(), rosterQuery("")); condition(e) != "forbidden" && condition(e) != "service-unavailable" {
			t.Errorf("somebody else's roster: %s", e)
		}
	}
}

func TestRosterSetRefused(t *testing.T) { // checklist 66
	h := sharedServer(t)
	w := h.session(t, newAccount(t), "")
	w.roster()
	long := strings.Repeat("x", 2000)
	for item, want := range map[string]string{
		"": "bad-request",
		"<item jid='a@example.org'/><item jid='b@example.org'/>": "bad-request",
		"<thing jid='a@example.org'/>":                           "bad-request",
		"<item/>":                                                "bad-request",
		"<item jid=''/>":                                         "bad-request",
		"<item jid='@example.org'/>":                             "bad-request",
		"<item jid='a b@example.org'/>":                          "bad-request",
		"<item jid='a@example.org'><group>G</group><group>G</group></item>": "bad-request",
		"<item jid='a@example.org'><group/></item>":                         "not-acceptable",
		"<item jid='a@example.org'><group></group></item>":                  "not-acceptable",
		"<item jid='a@example.org' name='" + long + "'/>":                   "not-acceptable",
		"<item jid='a@example.org'><group>" + long + "</group></item>":      "not-acceptable",
		"<item jid='nobody@example.org' subscription='remove'/>":            "item-not-found",
	} {
		if e := w.put(item); condition(e) != want {
			t.Errorf("%.100s: %s, want %s", item, condition(e), want)
		}
	}
	other := h.session(t, newAccount(t), "")
	if e := other.ask("set", w.bare(), rosterQuery("<item jid='evil@example.org'/>")); condition(e) != "forbidden" && condition(e) != "service-unavailable" {
		t.Errorf("somebody else's roster: %s", e)
	}
	w.nothing()
	same(t, "roster", w.roster(), []string{})
}

func TestRosterSet(t *testing.T) { // checklist 67
	h := sharedServer(t)
	w := h.session(t, newAccount(t), "")
	for item, want := range map[string]string{
		"<item jid='a@example.org' subscription='both'/>":                               `a@example.org none`,
		"<item jid='a@example.org' subscription='to' ask='subscribe' approved='true'/>": `a@example.org none`,
		"<item jid='a@example.org' subscription='nonsense' name='A'/>":                  `a@example.org none "A"`,
		"<item jid='a@example.org'><group>Two</group><group>One</group></item>":         `a@example.org none ["One" "Two"]`,
		"<item jid='A@Example.ORG' name='Ann &lt;&amp; Co'><group>One</group></item>":   `a@example.org none "Ann <& Co" ["One"]`,
		"<item jid='a@example.org' name='B'><x xmlns='urn:x'/></item>":                  `a@example.org none "B"`,
	} {
		if e := w.put(item); e.Attr("type") != "result" || len(e.Children) > 0 {
			t.Errorf("%s: %s", item, e)
		}
		same(t, item, w.roster(), []string{want}) // as a whole: nothing of before is left
	}
	w.put("<item jid='a@example.org' subscription='remove'/>")
	// Nor with accounts of the same host, and the host itself, for which the server could answer.
	for _, jid := range []string{newAccount(t) + "@" + servedHost, servedHost} {
		w.put("<item jid='" + jid + "' subscription='both'/>")
		same(t, jid, w.roster(), []string{jid + " none"})
		w.put("<item jid='" + jid + "' subscription='remove'/>")
	}
	// The server's part survives a set.
	w.send("<presence type='subscribe' to='a@example.org'/>")
	w.put("<item jid='a@example.org' subscription='none' name='C'/>")
	same(t, "asked", w.roster(), []string{`a@example.org none+ask "C"`})
}

func TestRosterPush(t *testing.T) { // checklist 68
	h := sharedServer(t)
	one := h.session(t, newAccount(t), "")
	two, unaware := h.available(t, user(one), ""), h.available(t, user(one), "")
	quiet(one, two, unaware)
	one.roster()
	two.roster()
	one.send("<iq type='set' id='s'>" + rosterQuery("<item jid='a@example.org'/>") + "</iq>")
	first, second := one.element(), one.element()
	if first.Attr("id") == "s" {
		first, second = second, first
	}
	if second.Attr("id") != "s" || second.Attr("type") != "result" {
		t.Errorf("result: %s", second)
	}
	push := two.element()
	same(t, "pushed", pushed(t, []*xmltree.Element{first, push}, one.bare()), []string{"a@example.org none", "a@example.org none"})
	if first.Attr("to") != "" && first.Attr("to") != one.jid || push.Attr("to") != "" && push.Attr("to") != two.jid {
		t.Errorf("to %s and %s", first.Attr("to"), push.Attr("to"))
	}
	// What clients answer is ignored, an error too.
	two.send("<iq type='error' id='" + push.Attr("id") + "' to='" + two.bare() + "'><error type='cancel'><item-not-found xmlns='" + nsStanzas + "'/></error></iq>" +
		"<iq type='result' id='" + push.Attr("id") + "'/>")
	two.nothing()
	one.put("<item jid='b@example.org'/>")
	got := two.element()
	if same(t, "pushed", pushed(t, []*xmltree.Element{got}, one.bare()), []string{"b@example.org none"}); got.Attr("id") == push.Attr("id") {
		t.Error("the same id twice")
	}
	quiet(one)
	unaware.nothing()
	// And only the server makes one.
	evil := h.available(t, newAccount(t), "")
	two.send("<presence to='" + evil.jid + "'/>")
	quiet(two, evil)
	for _, from := range []string{"", " from='" + evil.bare() + "'"} {
		evil.send("<iq type='set' id='p'" + from + " to='" + two.jid + "'>" + rosterQuery("<item jid='evil@example.org' subscription='both'/>") + "</iq>")
		if e := evil.element(); condition(e) != "service-unavailable" {
			t.Error(e)
		}
	}
	two.nothing()
}

func TestRosterRemove(t *testing.T) { // checklist 69
	h := sharedServer(t)
	w := h.session(t, newAccount(t), "")
	k := h.component(t, domain(t))
	w.roster()
	w.send("<presence/>")
	w.settle()
	for _, start := range stateNames {
		contact := "c" + strings.ReplaceAll(strings.ToLower(start), "+", "") + "@" + k.jid
		intoState(t, w, k, contact, start)
		before := slices.DeleteFunc(w.roster(), func(s string) bool { return !strings.HasPrefix(s, contact) })
		e := w.put("<item jid='" + contact + "' subscription='remove'/>")
		if len(before) == 0 { // nobody's contact, though maybe asking to be one
			if condition(e) != "item-not-found" {
				t.Errorf("%s: %s", start, e)
			}
			continue
		}
		if e.Attr("type") != "result" {
			t.Errorf("%s: %s", start, e)
		}
		var received []string
		for _, e := range k.marked(w) {
			if typ := e.Attr("type"); e.Name.Local == "presence" && (typ == "unsubscribe" || typ == "unsubscribed") {
				received = append(received, typ)
			}
		}
		slices.Sort(received)
		want := map[string][]string{
			"N+PO": {"unsubscribe"}, "N+POI": {"unsubscribe", "unsubscribed"}, "T": {"unsubscribe"}, "T+PI": {"unsubscribe", "unsubscribed"},
			"F": {"unsubscribed"}, "F+PO": {"unsubscribe", "unsubscribed"}, "B": {"unsubscribe", "unsubscribed"},
		}[start]
		same(t, start+": the contact is told", received, want)
		if got := stateOf(t, w, k, contact); got != "N" {
			t.Errorf("%s: after the removal %s", start, got)
		}
	}
}

func TestNoContacts(t *testing.T) { // checklist 70
	h := sharedServer(t)
	w := h.session(t, newAccount(t), "")
	w.roster()
	for _, jid := range []string{w.bare(), strings.ToUpper(user(w)) + "@" + servedHost, w.jid, "a@example.org/r", w.bare() + "/other"} {
		for range 2 {
			if e := w.put("<item jid='" + jid + "'/>"); condition(e) != "bad-request" && condition(e) != "not-allowed" {
				t.Errorf("%s: %s", jid, e)
			}
		}
	}
	w.send("<presence type='subscribe' to='" + w.bare() + "'/><presence type='subscribed' to='" + w.jid + "'/>")
	w.nothing()
	same(t, "roster", w.roster(), []string{})
	for _, jid := range []string{"example.org", "gateway.example.org"} { // a domain can be a contact
		if e := w.put("<item jid='" + jid + "'/>"); e.Attr("type") != "result" {
			t.Errorf("%s: %s", jid, e)
		}
	}
}

func TestRosterVersions(t *testing.T) { // checklist 71
	h := sharedServer(t)
	w, f := h.loggedIn(t, newAccount(t))
	if f.Child("urn:xmpp:features:rosterver", "ver") == nil {
		t.Errorf("not offered: %s", f)
	}
	w.bind("")
	get := func(ver string) (*xmltree.Element, []*xmltree.Element) {
		t.Helper()
		w.send("<iq type='get' id='v'><query xmlns='" + nsRoster + "' ver='" + ver + "'/></iq>")
		list := w.settle()
		if len(list) == 0 || list[0].Attr("id") != "v" || list[0].Attr("type") != "result" {
			t.Fatalf("ver %s: %v", ver, list)
		}
		return list[0], list[1:]
	}
	e, _ := get("")
	start := e.Child(nsRoster, "query").Attr("ver")
	if start == "" {
		t.Fatalf("no version: %s", e)
	}
	seen := map[string]bool{start: true}
	last := start
	for i := range 3 {
		w.put(fmt.Sprintf("<item jid='c%d@example.org'/>", i))
	}
	w.put("<item jid='c1@example.org' subscription='remove'/>")
	w2 := h.session(t, user(w), "")
	w2.roster()
	w2.put("<item jid='c3@example.org'/>")
	for _, e := range w.settle() {
		if q := e.Child(nsRoster, "query"); q != nil && e.Attr("type") == "set" {
			if last = q.Attr("ver"); last == "" || seen[last] {
				t.Errorf("version %q of a push", last)
			}
			seen[last] = true
		}
	}
	if e, more := get(last); len(e.Children) > 0 || len(more) > 0 {
		t.Errorf("the same version: %s, %v", e, more)
	}
	full := []string{"c0@example.org none", "c2@example.org none", "c3@example.org none"}
	e, more := get(start)
	if len(e.Children) > 0 { // all of it
		same(t, "roster", w.roster(), full)
	} else { // or what has changed since
		now := map[string]bool{}
		for _, item := range pushed(t, more, w.bare()) {
			jid, _, _ := strings.Cut(item, " ")
			if now[item] = true; strings.Contains(item, " remove") {
				delete(now, item)
				delete(now, jid+" none")
			}
		}
		var got []string
		for item := range now {
			got = append(got, item)
		}
		slices.Sort(got)
		same(t, "changes", got, full)
	}
	for _, unknown := range []string{"", "nonsense", "999999999999", "-1"} {
		e, more := get(unknown)
		if q := e.Child(nsRoster, "query"); q == nil || len(q.Children) != 3 || len(more) > 0 || q.Attr("ver") == "" {
			t.Errorf("version %q: %s", unknown, e)
		}
	}
}

func TestRequestsAreNoContacts(t *testing.T) { // checklist 72
	h := sharedServer(t)
	w, asks := h.available(t, newAccount(t), ""), h.session(t, newAccount(t), "")
	w.roster()
	asks.send("<presence type='subscribe' to='" + w.bare() + "'/>")
	quiet(asks)
	got := w.settle()
	if p := pushed(t, got, w.bare()); len(p) > 0 {
		t.Errorf("pushed: %v", p)
	}
	if len(got) != 1 || got[0].Attr("type") != "subscribe" {
		t.Errorf("arrived: %v", got)
	}
	same(t, "roster", w.roster(), []string{})
	// Unless the user has put them there: then the item is as he made it.
	w.put("<item jid='" + asks.bare() + "' name='Asker'/>")
	same(t, "roster", w.roster(), []string{asks.bare() + ` none "Asker"`})
}
