package checklist

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// The states of RFC 6121 Appendix A.1, in its order.
var stateNames = []string{"N", "N+PO", "N+PI", "N+POI", "T", "T+PI", "F", "F+PO", "B"}

// paths lead from state N to another state: "> x" is what the account sends, "< x" what the contact sends.
var paths = map[string][]string{
	"N": {}, "N+PO": {"> subscribe"}, "N+PI": {"< subscribe"}, "N+POI": {"> subscribe", "< subscribe"},
	"T": {"> subscribe", "< subscribed"}, "T+PI": {"> subscribe", "< subscribed", "< subscribe"},
	"F": {"< subscribe", "> subscribed"}, "F+PO": {"< subscribe", "> subscribed", "> subscribe"},
	"B": {"> subscribe", "< subscribed", "< subscribe", "> subscribed"},
}

// intoState brings the account and a contact at a component into a state.
func intoState(t *testing.T, w, k *rawClient, contact, state string) {
	t.Helper()
	for _, step := range paths[state] {
		step0(w, k, contact, step)
		both(w, k)
	}
	if got := stateOf(t, w, k, contact); got != state {
		t.Fatalf("on the way to %s: %s", state, got)
	}
}

func step0(w, k *rawClient, contact, step string) {
	who, typ, _ := strings.Cut(step, " ")
	if who == ">" {
		w.send("<presence type='" + typ + "' to='" + contact + "'/>")
	} else {
		k.send("<presence type='" + typ + "' from='" + contact + "' to='" + w.bare() + "'/>")
	}
}

// both waits until the server has dealt with what both have sent, and returns what each
// has got.
func both(w, k *rawClient) (atAccount, atContact []*xmltree.Element) {
	w.t.Helper()
	for range 2 {
		atContact = append(atContact, k.marked(w)...)
		atAccount = append(atAccount, w.settle()...)
	}
	return atAccount, atContact
}

// marked returns what a component has been sent up to now: the session sends it a mark, and
// it sends one back, so that what it has sent before is dealt with.
func (k *rawClient) marked(w *rawClient) []*xmltree.Element {
	k.t.Helper()
	mark := k.id()
	w.send("<message type='headline' id='" + mark + "' to='mark@" + k.jid + "'/>")
	var seen []*xmltree.Element
	for {
		e := k.element()
		if e.Name.Local == "message" && e.Attr("id") == mark {
			break
		}
		seen = append(seen, e)
	}
	k.send("<iq type='get' id='" + mark + "' from='mark@" + k.jid + "' to='" + servedHost + "'>" + ping + "</iq>")
	for {
		e := k.element()
		if e.Name.Local == "iq" && e.Attr("id") == mark {
			return seen
		}
		seen = append(seen, e)
	}
}

// stateOf finds the state from outside: the roster says subscription and ask; a request that
// waits is delivered to a session that comes.
func stateOf(t *testing.T, w, k *rawClient, contact string) string {
	t.Helper()
	item := contact + " none"
	for _, i := range w.roster() {
		if strings.HasPrefix(i, contact+" ") {
			item = i
		}
	}
	late := w.again0()
	waiting := false
	for _, e := range late {
		waiting = waiting || e.Attr("type") == "subscribe" && e.Attr("from") == contact
	}
	k.marked(w)
	_, state, _ := strings.Cut(item, " ")
	name := map[string]string{"none": "N", "none+ask": "N+PO", "to": "T", "from": "F", "from+ask": "F+PO", "both": "B"}[strings.TrimSuffix(state, "+approved")]
	if waiting {
		name = map[string]string{"N": "N+PI", "N+PO": "N+POI", "T": "T+PI"}[name]
	}
	if name == "" {
		t.Errorf("state %q, request waiting: %t", state, waiting)
	}
	return name
}

// again0 becomes unavailable and available again, and returns what that brings.
func (w *rawClient) again0() []*xmltree.Element {
	w.t.Helper()
	w.send("<presence type='unavailable'/><presence/>")
	return w.settle()
}

func TestPendingRequests(t *testing.T) { // checklist 82
	h := sharedServer(t)
	account := newAccount(t)
	k := h.component(t, domain(t))
	helper := h.session(t, newAccount(t), "")
	to := account + "@" + servedHost
	ask := func(who, words string) {
		k.send("<presence type='subscribe' id='i' from='" + who + "@" + k.jid + "/r' to='" + to + "'><status>" + words + "</status><nick xmlns='http://jabber.org/protocol/nick'>" + who + "</nick></presence>")
	}
	ask("ann", "first")
	ask("ann", "second")
	ask("ben", "third")
	k.marked(helper)
	for range 3 {
		w := h.session(t, account, "")
		w.send("<presence/>")
		got := map[string]int{}
		for _, e := range w.settle() {
			if e.Attr("type") != "subscribe" {
				continue
			}
			name, _, _ := strings.Cut(e.Attr("from"), "@")
			got[name]++
			if words := e.ChildText("status"); e.ChildText("nick") != name || name == "ann" && words != "first" && words != "second" || e.Attr("to") != to {
				t.Errorf("request: %s", e)
			}
		}
		if got["ann"] != 1 || got["ben"] != 1 {
			t.Errorf("requests: %v", got)
		}
		same(t, "roster", w.roster(), []string{})
		w.send(theEnd)
	}
	w := h.available(t, account, "")
	w.send("<presence type='subscribed' to='ann@" + k.jid + "'/><presence type='unsubscribed' to='ben@" + k.jid + "'/>")
	both(w, k)
	if got := kindsFrom(w.again0(), "ann@"+k.jid); len(got) > 0 {
		t.Errorf("answered, and asked again: %v", got)
	}
	for _, e := range h.session(t, account, "").again0() {
		if e.Attr("type") == "subscribe" {
			t.Errorf("answered, and asked again: %s", e)
		}
	}
}

func TestPresenceOfSubscriptions(t *testing.T) { // checklist 83
	h := sharedServer(t)
	account := newAccount(t)
	desk, phone := h.available(t, account, "desk"), h.available(t, account, "phone")
	silent := h.session(t, account, "silent")
	phone.send("<presence><show>away</show></presence>")
	quiet(desk, phone, silent)
	k := h.component(t, domain(t))
	contact := "ann@" + k.jid
	k.send("<presence type='subscribe' from='" + contact + "' to='" + desk.bare() + "'/>")
	_, got := both(desk, k)
	for _, e := range got {
		t.Errorf("before the answer: %s", e)
	}
	silent.send("<presence type='subscribed' to='" + contact + "'/>")
	silent.settle()
	_, got = both(desk, k)
	same(t, "after subscribed", presences(got), []string{"subscribed " + desk.bare(), desk.jid, phone.jid})
	silent.send("<presence type='unsubscribed' to='" + contact + "'/>")
	silent.settle()
	_, got = both(desk, k)
	same(t, "after unsubscribed", presences(got), []string{"unavailable " + desk.jid, "unavailable " + phone.jid, "unsubscribed " + desk.bare()})
}

// presences writes type and sender of the presences in a list, sorted but with what is about
// subscriptions last where it came last.
func presences(list []*xmltree.Element) []string {
	var got []string
	for _, e := range only(list, "presence") {
		got = append(got, strings.TrimSpace(e.Attr("type")+" "+e.Attr("from")))
	}
	slices.SortStableFunc(got, func(a, b string) int {
		if strings.Contains(a, "subscribed") || strings.Contains(b, "subscribed") {
			return 0
		}
		return strings.Compare(a, b)
	})
	return got
}

func TestLocalSubscriptions(t *testing.T) { // checklist 84, 113
	h := sharedServer(t)
	alice, bob := h.available(t, newAccount(t), ""), h.available(t, newAccount(t), "")
	alice.roster()
	bob.roster()
	steps := []struct {
		who          *rawClient
		typ          string
		alice, bob   string // subscription and ask of the other
		got, atOther []string
	}{
		{alice, "subscribe", "none+ask", "", nil, []string{"subscribe"}},
		{bob, "subscribe", "none+ask", "none+ask", nil, []string{"subscribe"}},
		{bob, "subscribed", "to", "from+ask", nil, []string{"subscribed"}},
		{alice, "subscribed", "both", "both", nil, []string{"subscribed"}},
		{alice, "unsubscribe", "from", "to", nil, []string{"unsubscribe"}},
		{alice, "unsubscribed", "none", "none", nil, []string{"unsubscribed"}},
	}
	for i, s := range steps {
		other := bob
		if s.who == bob {
			other = alice
		}
		s.who.send("<presence type='" + s.typ + "' to='" + other.bare() + "'/>")
		s.who.settle()
		same(t, fmt.Sprintf("step %d", i), kindsFrom(other.settle(), s.who.bare()), s.atOther)
		for w, want := range map[*rawClient]string{alice: s.alice, bob: s.bob} {
			if got := strings.Join(w.roster(), " "); !strings.HasSuffix(got, want) {
				t.Errorf("step %d: %s has %q, want %s", i, w.bare(), got, want)
			}
		}
	}
	// Nobody learns whether there is such an account.
	away := newAccount(t)
	for _, typ := range []string{"subscribe", "unsubscribe", "subscribed", "unsubscribed", "probe", "unavailable", ""} {
		var seen []string
		for _, to := range []string{"nobody@" + servedHost, away + "@" + servedHost} {
			alice.send("<presence type='" + typ + "' to='" + to + "'/>")
			var text []string
			if typ == "" {
				continue
			}
			for _, e := range alice.settle() {
				if e.Name.Local == "presence" {
					text = append(text, strings.ReplaceAll(show(e), to, "TO"))
				}
			}
			seen = append(seen, strings.Join(text, "; "))
		}
		if len(seen) == 2 && seen[0] != seen[1] {
			t.Errorf("%s: nobody shows %q, somebody %q", typ, seen[0], seen[1])
		}
		alice.settle()
	}
}

func TestPreApproval(t *testing.T) { // checklist 75, 77, 85
	h := sharedServer(t)
	w, f := h.loggedIn(t, newAccount(t))
	if f.Child("urn:xmpp:features:pre-approval", "sub") == nil {
		t.Errorf("not offered: %s", f)
	}
	w.bind("")
	w.roster()
	w.send("<presence/>")
	w.settle()
	k := h.component(t, domain(t))
	contact := "ann@" + k.jid
	w.send("<presence type='subscribed' to='" + contact + "'/>")
	atAccount, atContact := both(w, k)
	same(t, "pushed", pushed(t, atAccount, w.bare()), []string{contact + " none+approved"})
	if len(atContact) > 0 {
		t.Errorf("routed: %v", atContact)
	}
	// Being asked for presence that is not granted says "unsubscribed", and takes nothing back.
	k.send("<presence type='probe' from='" + contact + "' to='" + w.bare() + "'/>")
	both(w, k)
	same(t, "roster", w.roster(), []string{contact + " none+approved"})
	k.send("<presence type='subscribe' from='" + contact + "' to='" + w.bare() + "'/>")
	atAccount, atContact = both(w, k)
	same(t, "answered", kindsFrom(atContact, w.bare()), []string{"subscribed"})
	if got := kindsFrom(atAccount, contact); len(got) > 0 {
		t.Errorf("delivered: %v", got)
	}
	same(t, "seen", presences(atContact), []string{"subscribed " + w.bare(), w.jid})
	if got := w.roster(); len(got) != 1 || !strings.HasPrefix(got[0], contact+" from") {
		t.Errorf("roster: %v", got)
	}
	// Taken back it is gone.
	other := "ben@" + k.jid
	w.send("<presence type='subscribed' to='" + other + "'/><presence type='unsubscribed' to='" + other + "'/>")
	both(w, k)
	k.send("<presence type='subscribe' from='" + other + "' to='" + w.bare() + "'/>")
	atAccount, atContact = both(w, k)
	same(t, "delivered", kindsFrom(atAccount, other), []string{"subscribe"})
	same(t, "answered", kindsFrom(atContact, w.bare()), nil)
}

func TestNoAutomaticSubscriptions(t *testing.T) { // checklist 86
	h := sharedServer(t)
	w := h.available(t, newAccount(t), "")
	k := h.component(t, domain(t))
	other := h.available(t, newAccount(t), "")
	// Being a contact, writing, having been granted something: none of it is leave.
	w.put("<item jid='ann@" + k.jid + "'><group>Friends</group></item>")
	w.send("<message to='ann@" + k.jid + "'/><presence to='ann@" + k.jid + "'/><presence type='subscribe' to='ben@" + k.jid + "'/>")
	both(w, k)
	k.send("<presence type='subscribed' from='ben@" + k.jid + "' to='" + w.bare() + "'/>")
	both(w, k)
	for _, who := range []string{"ann", "ben", "eve"} {
		k.send("<presence type='subscribe' from='" + who + "@" + k.jid + "' to='" + w.bare() + "'/>")
	}
	_, got := both(w, k)
	other.send("<presence type='subscribe' to='" + w.bare() + "'/>")
	for _, e := range append(got, other.settle()...) {
		if e.Attr("type") == "subscribed" {
			t.Errorf("granted: %s", e)
		}
	}
	for _, item := range w.roster() {
		if strings.Contains(item, "from") || strings.Contains(item, "both") {
			t.Errorf("granted: %s", item)
		}
	}
}
