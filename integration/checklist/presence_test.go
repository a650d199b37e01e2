package checklist

import (
	"slices"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// contacts are an account and contacts at a component in each subscription.
type contacts struct {
	h                           *testServer
	w, k                        *rawClient
	none, to, from, both, asked string
}

func newContacts(t *testing.T) *contacts {
	t.Helper()
	h := sharedServer(t)
	f := &contacts{h: h, w: h.session(t, newAccount(t), "home"), k: h.component(t, domain(t))}
	f.none, f.to, f.from, f.both, f.asked = "none@"+f.k.jid, "to@"+f.k.jid, "from@"+f.k.jid, "both@"+f.k.jid, "asked@"+f.k.jid
	for contact, state := range map[string]string{f.to: "T", f.from: "F", f.both: "B", f.asked: "N+PO"} {
		for _, step := range paths[state] {
			step0(f.w, f.k, contact, step)
			both(f.w, f.k)
		}
	}
	f.w.put("<item jid='" + f.none + "'/>")
	f.received()
	return f
}

// received are the presences that the component has been sent: "type to from", sorted.
func (f *contacts) received() []string {
	f.k.t.Helper()
	_, list := both(f.w, f.k)
	return f.lines(list)
}

func (f *contacts) lines(list []*xmltree.Element) []string {
	var got []string
	for _, e := range only(list, "presence") {
		to, _, _ := strings.Cut(e.Attr("to"), "@")
		_, resource, _ := strings.Cut(e.Attr("from"), "/")
		got = append(got, strings.TrimSpace(e.Attr("type")+" "+to+" "+resource))
	}
	slices.Sort(got)
	return got
}

func TestInitialPresence(t *testing.T) { // checklist 87
	f := newContacts(t)
	desk := f.h.available(t, user(f.w), "desk")
	f.k.marked(f.w)
	f.k.send("<presence type='subscribe' from='waits@" + f.k.jid + "' to='" + f.w.bare() + "'/>" +
		"<message from='waits@" + f.k.jid + "' to='" + f.w.jid + "'/>")
	f.received()
	desk.send("<presence type='unavailable'/>")
	quiet(desk, f.w)
	f.received()
	f.k.send("<message type='chat' from='both@" + f.k.jid + "' to='" + f.w.bare() + "'><body>kept</body></message>")
	f.received()
	desk.send("<presence/>")
	quiet(desk)
	f.k.marked(f.w)

	f.w.send("<presence><show>chat</show></presence>")
	atAccount, atContact := both(f.w, f.k)
	same(t, "the contacts are told", f.lines(atContact), []string{"both home", "from home", "probe both", "probe to"})
	for _, e := range atContact {
		if e.Attr("type") == "probe" && e.Attr("from") != f.w.bare() {
			t.Errorf("probe from %s", e.Attr("from"))
		}
		if e.Attr("type") == "" && e.ChildText("show") != "chat" {
			t.Errorf("presence: %s", e)
		}
	}
	var got []string
	for _, e := range only(atAccount, "presence") {
		got = append(got, strings.TrimSpace(e.Attr("type")+" "+strings.TrimPrefix(e.Attr("from"), f.w.bare())))
	}
	slices.Sort(got)
	same(t, "the session sees", got, []string{"/desk", "/home", "subscribe waits@" + f.k.jid})
	same(t, "the other session sees", f.lines(desk.settle()), []string{strings.TrimPrefix(user(f.w), "") + " home"})
}

func TestLaterPresence(t *testing.T) { // checklist 88
	f := newContacts(t)
	f.w.send("<presence/>")
	desk := f.h.available(t, user(f.w), "desk")
	f.received()
	quiet(f.w, desk)
	f.received()
	f.w.send("<presence><show>dnd</show><priority>3</priority></presence>")
	_, atContact := both(f.w, f.k)
	same(t, "the contacts are told", f.lines(atContact), []string{"both home", "from home"})
	for _, e := range atContact {
		if e.ChildText("show") != "dnd" || e.ChildText("priority") != "3" {
			t.Error(e)
		}
	}
	if got := only(desk.settle(), "presence"); len(got) != 1 || got[0].Attr("from") != f.w.jid {
		t.Errorf("the other session sees %v", got)
	}
}

func TestUnavailable(t *testing.T) { // checklist 89
	for name, goes := range map[string]func(w *rawClient){
		"in words": func(w *rawClient) {
			w.send("<presence type='unavailable'><status>bye</status></presence>")
			w.settle()
			_ = w.conn.Close()
		},
		"end of stream":   func(w *rawClient) { w.send(theEnd) },
		"words and end":   func(w *rawClient) { w.send("<presence type='unavailable'/>" + theEnd) },
		"lost connection": func(w *rawClient) { _ = w.conn.Close() },
		"stream error":    func(w *rawClient) { w.push("<a></b>") },
	} {
		t.Run(name, func(t *testing.T) {
			f := newContacts(t)
			other := f.h.session(t, newAccount(t), "")
			w := f.h.available(t, user(f.w), "leaves")
			w.send("<presence to='stranger@" + f.k.jid + "'/><presence to='room@" + f.k.jid + "/nick'/><presence to='" + f.both + "'/>" +
				"<presence to='was@" + f.k.jid + "'/><presence to='was@" + f.k.jid + "' type='unavailable'/>")
			w.settle()
			f.received()
			goes(w)
			var got []string
			poll(t, func() error {
				_, list := both(f.w, f.k)
				if got = append(got, f.lines(list)...); len(got) < 4 {
					return errNotYet
				}
				return nil
			})
			quiet(other)
			got = append(got, f.received()...)
			slices.Sort(got)
			same(t, "told", got, []string{"unavailable both leaves", "unavailable from leaves", "unavailable room leaves", "unavailable stranger leaves"})
		})
	}
	t.Run("and comes again", func(t *testing.T) {
		f := newContacts(t)
		f.w.send("<presence/><presence type='unavailable'/>")
		f.received()
		f.w.send("<presence/>")
		// RFC 6121 §3.1.2: what was not answered is asked again, as no other session is there.
		same(t, "told", f.received(), []string{"both home", "from home", "probe both", "probe to", "subscribe asked"})
	})
}

func TestDirectedPresence(t *testing.T) { // checklist 90
	f := newContacts(t)
	f.w.send("<presence/>")
	f.received()
	f.w.send("<presence to='" + f.none + "'><status>you</status></presence><presence to='stranger@" + f.k.jid + "/r'/>")
	same(t, "told", f.received(), []string{"none home", "stranger home"})
	f.w.send("<presence><show>away</show></presence>")
	same(t, "a broadcast goes to", f.received(), []string{"both home", "from home"})
	f.w.send("<presence to='" + f.none + "' type='unavailable'/>")
	same(t, "told", f.received(), []string{"unavailable none home"})
	f.w.send("<presence type='unavailable'/>")
	same(t, "told at the end", f.received(), []string{"unavailable both home", "unavailable from home", "unavailable stranger home"})
	// One who is not available may show himself to some all the same.
	f.w.send("<presence to='" + f.none + "'/>")
	same(t, "told", f.received(), []string{"none home"})
	f.w.send("<presence type='unavailable'/>")
	same(t, "told at the end", f.received(), []string{"unavailable none home"})
}

func TestProbes(t *testing.T) { // checklist 91, 113
	f := newContacts(t)
	f.w.send("<presence><show>xa</show><status>deep</status><x xmlns='urn:example:x' a='1'/></presence>")
	desk := f.h.available(t, user(f.w), "desk")
	quiet(f.w, desk)
	f.received()
	probe := func(who, to string) []*xmltree.Element {
		f.k.send("<presence type='probe' from='" + who + "' to='" + to + "'/>")
		_, got := both(f.w, f.k)
		return only(got, "presence")
	}
	for _, who := range []string{f.from, f.both, f.both + "/any"} {
		got := probe(who, f.w.bare())
		local, _, _ := strings.Cut(who, "@")
		same(t, "a subscriber sees", f.lines(got), []string{local + " desk", local + " home"})
		for _, e := range got {
			if e.Attr("from") == f.w.jid && (e.ChildText("show") != "xa" || e.Child("urn:example:x", "x") == nil) {
				t.Errorf("probed: %s", e)
			}
		}
	}
	// Senders that are no contacts, contacts without a subscription, missing accounts: the same answer.
	for _, who := range []string{f.none, f.to, f.asked, "stranger@" + f.k.jid} {
		for _, to := range []string{f.w.bare(), f.w.jid, f.w.bare() + "/gone", "nobody@" + servedHost, newAccount(t) + "@" + servedHost} {
			got := probe(who, to)
			bareTo, _, _ := strings.Cut(to, "/")
			if len(got) > 1 || len(got) == 1 && (got[0].Attr("type") != "unsubscribed" || got[0].Attr("from") != bareTo || len(got[0].Children) > 0) {
				t.Errorf("%s probes %s and sees %v", who, to, got)
			}
			if len(got) != 1 {
				t.Errorf("%s probes %s and gets %d answers", who, to, len(got))
			}
		}
	}
	// Nobody is there: unavailable, from the bare address.
	desk.send("<presence type='unavailable'/>")
	f.w.send("<presence type='unavailable'/>")
	quiet(desk, f.w)
	f.received()
	if got := probe(f.both, f.w.bare()); len(got) != 1 || got[0].Attr("type") != "unavailable" || got[0].Attr("from") != f.w.bare() {
		t.Errorf("a subscriber sees %v", got)
	}
}

func TestProbesOfClients(t *testing.T) { // checklist 92
	f := newContacts(t)
	f.w.send("<presence/>")
	f.received()
	f.w.send("<presence type='probe' to='" + f.to + "'/>")
	if got := f.received(); len(got) > 1 || len(got) == 1 && !strings.HasPrefix(got[0], "probe to") {
		t.Errorf("told: %v", got)
	}
	// Between accounts of this host: the contact gets it, another account does not.
	bob, eve := f.h.available(t, newAccount(t), "desk"), f.h.available(t, newAccount(t), "")
	f.w.send("<presence type='subscribe' to='" + bob.bare() + "'/>")
	quiet(f.w, bob)
	bob.send("<presence type='subscribed' to='" + f.w.bare() + "'/>")
	quiet(bob, f.w)
	f.w.send("<presence type='probe' to='" + bob.bare() + "'/>")
	eve.send("<presence type='probe' to='" + bob.bare() + "'/>")
	if got := only(f.w.settle(), "presence"); len(got) != 1 || got[0].Attr("from") != bob.jid {
		t.Errorf("the contact sees %v", got)
	}
	for _, e := range eve.settle() {
		if e.Attr("type") == "" || strings.Contains(e.Attr("from"), "/") {
			t.Errorf("a stranger sees %s", e)
		}
	}
	bob.nothing()
}

func TestPresenceErrors(t *testing.T) { // checklist 93
	f := newContacts(t)
	f.w.send("<presence/>")
	f.received()
	bad := "<error type='cancel'><service-unavailable xmlns='" + nsStanzas + "'/></error>"
	for range 3 {
		f.k.send("<presence type='error' from='" + f.both + "' to='" + f.w.bare() + "'>" + bad + "</presence>" +
			"<presence type='error' from='" + f.both + "' to='nobody@" + servedHost + "'>" + bad + "</presence>" +
			"<presence type='error' from='" + f.both + "' to='" + f.w.bare() + "/gone'>" + bad + "</presence>" +
			"<presence type='error' from='" + f.both + "' to='" + servedHost + "'>" + bad + "</presence>")
	}
	if got := f.received(); len(got) > 0 {
		t.Errorf("answered: %v", got)
	}
	f.w.send("<presence><show>away</show></presence>") // an error does not take anybody off the list
	same(t, "told", f.received(), []string{"both home", "from home"})
	f.w.send("<presence type='error' to='" + f.both + "'>" + bad + "</presence><presence type='error'/>")
	same(t, "told", f.received(), []string{"error both home"})
}

func TestPriority(t *testing.T) { // checklist 94
	h := sharedServer(t)
	w := h.session(t, newAccount(t), "")
	writer := h.session(t, newAccount(t), "")
	takes := func() bool {
		t.Helper()
		writer.send("<message type='headline' to='" + w.bare() + "'><body>x</body></message>")
		quiet(writer)
		return len(bodies(w.settle())) > 0
	}
	for text, want := range map[string]string{
		"": "yes", "<priority>0</priority>": "yes", "<priority>127</priority>": "yes", "<priority>1</priority>": "yes", "<priority> 5 </priority>": "yes", "<priority>+3</priority>": "yes",
		"<priority>-1</priority>": "no", "<priority>-128</priority>": "no",
		"<priority>1</priority><priority>-1</priority>": "bad", "<show>away</show><show>dnd</show>": "bad", "<show>away</show><c:show xmlns:c='urn:example:c'/>": "yes",
		"<priority>128</priority>": "bad", "<priority>-129</priority>": "bad", "<priority>1.5</priority>": "bad", "<priority>high</priority>": "bad", "<priority></priority>": "bad", "<priority>99999999999999999999</priority>": "bad",
	} {
		w.send("<presence type='unavailable'/>")
		w.settle()
		w.send("<presence id='p'>" + text + "</presence>")
		got := only(w.settle(), "presence")
		if want == "bad" {
			if len(got) != 1 || condition(got[0]) != "bad-request" {
				t.Errorf("%s: %v", text, got)
			}
			if takes() {
				t.Errorf("%s counts as available", text)
			}
			continue
		}
		if len(got) != 1 || condition(got[0]) != "" || takes() != (want == "yes") {
			t.Errorf("%s: %v", text, got)
		}
	}
	w.send("<presence><show>wherever</show><priority>1</priority></presence>") // show is the client's affair
	if got := only(w.settle(), "presence"); len(got) != 1 || got[0].ChildText("show") != "wherever" {
		t.Errorf("show: %v", got)
	}
}

func TestPresenceToAccounts(t *testing.T) { // checklist 95
	h := sharedServer(t)
	bob := newAccount(t)
	desk, bot, silent := h.available(t, bob, "desk"), h.session(t, bob, "bot"), h.session(t, bob, "silent")
	bot.send("<presence><priority>-1</priority></presence>")
	quiet(desk, bot, silent)
	alice := h.session(t, newAccount(t), "")
	for _, typ := range []string{"", " type='unavailable'"} {
		alice.send("<presence" + typ + " to='" + desk.bare() + "'/>")
		quiet(alice)
		for w, want := range map[*rawClient]int{desk: 1, bot: 1, silent: 0} {
			if got := only(w.settle(), "presence"); len(got) != want || want == 1 && (got[0].Attr("from") != alice.jid || got[0].Attr("to") != desk.bare()) {
				t.Errorf("%s: %s sees %v", typ, w.jid, got)
			}
		}
		alice.send("<presence" + typ + " to='" + silent.jid + "'/><presence" + typ + " to='" + desk.bare() + "/gone'/>")
		alice.nothing()
		if got := only(silent.settle(), "presence"); len(got) != 1 {
			t.Errorf("by its own address a session sees %v", got)
		}
		desk.nothing()
		bot.nothing()
	}
}

func TestPresenceToMissingAccounts(t *testing.T) { // checklist 96
	h := sharedServer(t)
	w := h.session(t, newAccount(t), "")
	for _, typ := range []string{"", "unavailable", "subscribe", "subscribed", "unsubscribe", "unsubscribed", "error"} {
		attr := ""
		if typ != "" {
			attr = " type='" + typ + "'"
		}
		for _, resource := range []string{"", "/r"} {
			w.send("<presence to='nobody@" + servedHost + resource + "'" + attr + "/>")
		}
	}
	w.nothing()
}

func TestPresenceToSelf(t *testing.T) { // checklist 97
	f := newContacts(t)
	desk := f.h.available(t, user(f.w), "desk")
	f.w.send("<presence/>")
	quiet(f.w, desk)
	f.received()
	for _, to := range []string{servedHost, secondHost, servedHost + "/r"} {
		f.w.send("<presence to='" + to + "'><show>away</show></presence><presence to='" + to + "' type='subscribe'/><presence to='" + to + "' type='unavailable'/>")
	}
	if got := f.received(); len(got) > 0 {
		t.Errorf("the contacts are told %v", got)
	}
	if got := only(desk.settle(), "presence"); len(got) > 0 {
		t.Errorf("the other session sees %v", got)
	}
	f.w.send("<presence to='" + f.w.bare() + "'><show>dnd</show></presence>")
	if got := f.received(); len(got) > 0 {
		t.Errorf("the contacts are told %v", got)
	}
	if got := only(desk.settle(), "presence"); len(got) != 1 || got[0].ChildText("show") != "dnd" {
		t.Errorf("the other session sees %v", got)
	}
	f.w.send("<presence type='unavailable'/>")
	quiet(f.w)
	if got := only(desk.settle(), "presence"); len(got) != 1 || got[0].Attr("type") != "unavailable" {
		t.Errorf("at the end the other session sees %v", got)
	}
}
