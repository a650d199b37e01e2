package checklist

import (
	"strings"
	"testing"
)

const ping = "<ping xmlns='urn:xmpp:ping'/>"

func TestRequests(t *testing.T) { // checklist 45
	h := sharedServer(t)
	w := h.session(t, newAccount(t), "")
	other := h.available(t, newAccount(t), "")
	other.send("<presence to='" + w.jid + "'/>") // so that it may be asked
	other.settle()
	w.settle()
	for _, to := range []string{servedHost, w.bare(), other.bare(), other.jid, ""} {
		for _, attrs := range []string{"type='get'", "type='set'"} {
			for _, inside := range []string{"", ping + ping, ping + "<x xmlns='urn:x'/>"} {
				address := " to='" + to + "'"
				if to == "" {
					address = ""
				}
				w.send("<iq id='q' " + attrs + address + ">" + inside + "</iq>")
				if e := w.element(); condition(e) != "bad-request" || e.Attr("id") != "q" {
					t.Errorf("%s to %q with %q: %s", attrs, to, inside, e)
				}
			}
		}
		for _, typ := range []string{"type='ask'", "type=''", "type='GET'", ""} {
			address := " to='" + to + "'"
			if to == "" {
				address = ""
			}
			w.send("<iq id='q' " + typ + address + ">" + ping + "</iq>")
			if e := w.element(); condition(e) != "bad-request" {
				t.Errorf("%q to %q: %s", typ, to, e)
			}
		}
	}
	w.nothing() // one answer each
	other.nothing()
}

func TestResultsAreNotAnswered(t *testing.T) { // checklist 46
	h := sharedServer(t)
	w := h.session(t, newAccount(t), "")
	other := h.session(t, newAccount(t), "")
	gone := "<error type='cancel'><gone xmlns='" + nsStanzas + "'/></error>"
	for _, to := range []string{"", servedHost, servedHost + "/r", w.bare(), other.bare(), other.bare() + "/gone", "nobody@" + servedHost, "nobody@" + servedHost + "/r", "a@elsewhere.example", domainName(0)} {
		address := ""
		if to != "" {
			address = " to='" + to + "'"
		}
		w.send("<iq id='a' type='result'" + address + "/><iq id='a' type='result'" + address + ">" + ping + "</iq><iq id='a' type='error'" + address + ">" + gone + "</iq>" +
			"<iq id='a' type='error'" + address + "/><iq type='result'" + address + "/>")
	}
	w.nothing()
	other.nothing()
	// To a session that is there they go, asked for or not.
	w.send("<iq id='r' type='result' to='" + other.jid + "'/><iq id='e' type='error' to='" + other.jid + "'>" + gone + "</iq>")
	w.settle()
	if got := other.settle(); len(got) != 2 || got[0].Attr("id") != "r" || got[1].Attr("id") != "e" {
		t.Errorf("arrived: %v", got)
	}
}

func TestRequestsToMissingAccounts(t *testing.T) { // checklist 47
	h := sharedServer(t)
	w := h.session(t, newAccount(t), "")
	if e := w.ask("get", "", "<query xmlns='"+nsRoster+"'/>"); e.Child(nsRoster, "query") == nil {
		t.Errorf("the own roster: %s", e)
	}
	for _, typ := range []string{"get", "set"} {
		if e := w.ask(typ, "", "<unknown xmlns='urn:example:unknown'/>"); condition(e) != "service-unavailable" || e.Child("", "error").Attr("type") != "cancel" {
			t.Error(e)
		}
	}
}

func TestRequestsToAccounts(t *testing.T) { // checklist 48
	h := sharedServer(t)
	w := h.session(t, newAccount(t), "")
	bob := h.available(t, newAccount(t), "")
	bob.send("<presence to='" + w.bare() + "'/><presence to='" + w.jid + "'/>")
	bob.ask("set", "", "<vCard xmlns='vcard-temp'><FN>Bob</FN></vCard>")
	w.settle()
	for _, payload := range []string{"<unknown xmlns='urn:example:unknown'/>", "<query xmlns='jabber:iq:version'/>", "<query xmlns='" + nsRoster + "'/>", "<block xmlns='urn:xmpp:blocking'/>"} {
		for _, typ := range []string{"get", "set"} {
			if e := w.ask(typ, bob.bare(), payload); condition(e) != "service-unavailable" && condition(e) != "forbidden" && condition(e) != "bad-request" {
				t.Errorf("%s %s: %s", typ, payload, e)
			}
		}
	}
	if e := w.ask("get", bob.bare(), "<vCard xmlns='vcard-temp'/>"); e.Find("vCard", "FN") == nil {
		t.Errorf("the vCard of somebody: %s", e)
	}
	if e := w.ask("set", bob.bare(), "<vCard xmlns='vcard-temp'><FN>forged</FN></vCard>"); condition(e) == "" {
		t.Errorf("somebody else's vCard is set: %s", e)
	}
	bob.nothing()
}

func TestRequestsToSessions(t *testing.T) { // checklist 49
	h := privateServer(t)
	bob, alice := h.available(t, "bob", "desk"), h.session(t, "alice", "")
	own := h.session(t, user(bob), "phone")
	question := "<question xmlns='urn:example:q'/>"
	asks := func(w *rawClient, allowed bool) {
		t.Helper()
		w.send("<iq type='get' id='q' to='" + bob.jid + "'>" + question + "</iq>")
		if !allowed {
			if e := w.element(); condition(e) != "service-unavailable" {
				t.Errorf("a stranger gets %s", e)
			}
			bob.nothing()
			return
		}
		e := bob.element()
		if e.Attr("from") != w.jid || e.Attr("to") != bob.jid || e.Child("urn:example:q", "question") == nil {
			t.Fatalf("asked: %s", e)
		}
		bob.send("<iq type='result' id='q' to='" + e.Attr("from") + "'><answer xmlns='urn:example:q'/></iq>")
		if e := w.element(); e.Attr("type") != "result" || e.Attr("from") != bob.jid || e.Attr("id") != "q" {
			t.Errorf("answered: %s", e)
		}
	}
	asks(alice, false)
	asks(own, true) // another session of one's own
	bob.send("<presence to='" + alice.jid + "'/>")
	bob.settle()
	alice.settle()
	asks(alice, true) // directed presence
	bob.send("<presence to='" + alice.jid + "' type='unavailable'/>")
	bob.settle()
	alice.settle()
	asks(alice, false)
	alice.send("<presence to='" + bob.bare() + "' type='subscribe'/>")
	quiet(alice, bob)
	bob.send("<presence to='" + alice.bare() + "' type='subscribed'/>")
	quiet(bob, alice, bob)
	asks(alice, true) // a subscriber
	bob.send("<presence to='" + alice.bare() + "' type='unsubscribed'/>")
	quiet(bob, alice, bob)
	asks(alice, false)
}

// privateServer is a server on which accounts do not ask each other's sessions without a subscription.
func privateServer(t *testing.T) *testServer {
	t.Helper()
	t.Parallel()
	accounts := ""
	for _, name := range []string{"alice", "bob", "away"} {
		accounts += name + "@" + servedHost + " " + password + "\n"
	}
	return startServer(t, serverSettings{server: "private_sessions = true", accounts: accounts})
}

func user(w *rawClient) string {
	name, _, _ := strings.Cut(w.jid, "@")
	return name
}

func TestMissingReceivers(t *testing.T) { // checklist 50, 113
	h := privateServer(t)
	alice := h.session(t, "alice", "")
	bob := h.available(t, "bob", "desk")
	away := "away"
	var first string
	for _, to := range []string{"nobody@" + servedHost + "/r", away + "@" + servedHost + "/r", bob.bare() + "/r", bob.jid} {
		for _, typ := range []string{"get", "set"} {
			e := alice.ask(typ, to, "<query xmlns='jabber:iq:version'/>")
			text := strings.NewReplacer(to, "TO", alice.jid, "FROM", e.Attr("id"), "ID").Replace(e.String())
			if first == "" {
				first = text
				if condition(e) != "service-unavailable" {
					t.Error(e)
				}
			}
			if text != first {
				t.Errorf("%s to %s: %s\nand not %s", typ, to, text, first)
			}
		}
	}
	bob.nothing()
}

func TestUnknownDomains(t *testing.T) { // checklist 51
	h := sharedServer(t)
	w := h.available(t, newAccount(t), "")
	for send, want := range map[string]string{
		"<message to='a@unknown.example' id='m'><body>x</body></message>":    "remote-server-not-found",
		"<message to='a@unknown.example/r' id='m' type='chat'/>":             "remote-server-not-found",
		"<message to='a@unknown.example' id='m' type='groupchat'/>":          "remote-server-not-found",
		"<iq to='unknown.example' id='m' type='get'>" + ping + "</iq>":       "remote-server-not-found",
		"<iq to='a@unknown.example/r' id='m' type='set'>" + ping + "</iq>":   "remote-server-not-found",
		"<message to='a@" + domainName(domains-1) + "' id='m' type='chat'/>": "", // a component that is away
		"<message to='a@unknown.example' id='m' type='error'/>":              "none",
		"<iq to='a@unknown.example' id='m' type='result'/>":                  "none",
		"<iq to='a@unknown.example' id='m' type='error'/>":                   "none",
	} {
		w.send(send)
		got := w.settle()
		switch {
		case want == "none":
			if len(got) > 0 {
				t.Errorf("%s: %v", send, got)
			}
		case len(got) != 1 || condition(got[0]) == "" || got[0].Attr("id") != "m" || want != "" && condition(got[0]) != want:
			t.Errorf("%s: %v, want one %s", send, got, want)
		}
	}
}

// types are the error types that RFC 6120 §8.3.3 gives the conditions.
var types = map[string][]string{
	"bad-request": {"modify"}, "conflict": {"cancel"}, "feature-not-implemented": {"cancel", "modify"}, "forbidden": {"auth"},
	"gone": {"cancel"}, "internal-server-error": {"cancel", "wait"}, "item-not-found": {"cancel"}, "jid-malformed": {"modify"},
	"not-acceptable": {"modify"}, "not-allowed": {"cancel"}, "not-authorized": {"auth"}, "policy-violation": {"modify", "wait"},
	"recipient-unavailable": {"wait"}, "redirect": {"modify"}, "registration-required": {"auth"},
	"remote-server-not-found": {"cancel"}, "remote-server-timeout": {"wait"}, "resource-constraint": {"wait"},
	"service-unavailable": {"cancel"}, "subscription-required": {"auth"}, "undefined-condition": {"cancel"}, "unexpected-request": {"wait", "modify"},
}

func TestErrorForm(t *testing.T) { // checklist 52
	h := sharedServer(t)
	w := h.session(t, newAccount(t), "")
	bob := h.session(t, newAccount(t), "")
	roster := func(item string) string { return "<query xmlns='" + nsRoster + "'>" + item + "</query>" }
	for _, send := range []string{
		"<iq to='" + servedHost + "' type='get' id='i'><x xmlns='urn:x'/></iq>",
		"<iq to='" + bob.bare() + "' type='get' id='i'><x xmlns='urn:x'/></iq>",
		"<iq to='" + bob.bare() + "/gone' type='get' id='i'><x xmlns='urn:x'/></iq>",
		"<iq to='a@unknown.example' type='get' id='i'><x xmlns='urn:x'/></iq>",
		"<iq to='" + w.bare() + "' type='set' id='i'>" + roster("") + "</iq>",
		"<iq to='" + w.bare() + "' type='set' id='i'>" + roster("<item jid='a@b.example' subscription='remove'/>") + "</iq>",
		"<iq to='" + w.bare() + "' type='set' id='i'>" + roster("<item jid='a@b.example'><group/></item>") + "</iq>",
		"<message to='" + bob.bare() + "/gone' id='i'/>",
		"<message to='" + bob.bare() + "' type='groupchat' id='i'/>",
		"<message to='a@unknown.example' id='i'/>",
		"<message to='@bad' id='i'/>",
		"<presence type='hello' id='i'/>",
		"<presence id='i'><priority>1000</priority></presence>",
		"<iq type='set' id='i'><bind xmlns='" + nsBind + "'/></iq>",
	} {
		w.send(send)
		e := w.element()
		got := condition(e)
		fault := e.Child(nsClient, "error")
		if got == "" || e.Attr("id") != "i" || fault == nil {
			t.Errorf("%s: %s", send, e)
			continue
		}
		ok := false
		for _, typ := range types[got] {
			ok = ok || fault.Attr("type") == typ
		}
		if !ok {
			t.Errorf("%s: error of type %s with %s", send, fault.Attr("type"), got)
		}
		if fault.Children[0].Name.Space != nsStanzas {
			t.Errorf("%s: the condition comes first: %s", send, e)
		}
		for _, c := range fault.Children[1:] {
			if c.Name.Space == nsStanzas && c.Name.Local != "text" {
				t.Errorf("two conditions: %s", e)
			}
		}
		if _, rest, ok := strings.Cut(send, " to='"); ok && !strings.Contains(send, "'@bad'") {
			to, _, _ := strings.Cut(rest, "'")
			if e.Attr("from") != to && (to != w.bare() || e.Attr("from") != "") || e.Attr("to") != w.jid {
				t.Errorf("%s: the answer is from %s to %s", send, e.Attr("from"), e.Attr("to"))
			}
		}
		// And sent back as it came it is not answered again.
		back := strings.NewReplacer(" id='i'", " id='back' type='error'", " type='get'", "", " type='set'", "", " type='groupchat'", "", " type='hello'", "").Replace(send)
		if strings.Contains(back, "'@bad'") {
			continue
		}
		w.send(back)
		w.nothing()
	}
	bob.settle()
}

func TestDomains(t *testing.T) { // checklist 53
	h := sharedServer(t)
	w := h.session(t, newAccount(t), "")
	k := h.component(t, domain(t))
	for _, to := range []string{servedHost, secondHost} {
		if e := w.ask("get", to, ping); e.Attr("type") != "result" || e.Attr("from") != to {
			t.Error(e)
		}
	}
	for _, to := range []string{servedHost + "/r", secondHost + "/r"} {
		if e := w.ask("get", to, ping); condition(e) == "" {
			t.Error(e)
		}
		w.send("<message to='" + to + "' id='m'><body>x</body></message><presence to='" + to + "'/>")
		for _, e := range w.settle() {
			if condition(e) == "" || e.Attr("id") != "m" {
				t.Error(e)
			}
		}
	}
	w.send("<message to='" + servedHost + "' id='m'><body>x</body></message>")
	if e := w.element(); condition(e) == "" {
		t.Error(e)
	}
	k.push("<iq type='get' id='q' from='" + k.jid + "' to='" + servedHost + "'>" + ping + "</iq>")
	if e := k.element(); e.Attr("id") != "q" || e.Attr("type") != "result" {
		t.Errorf("a component has seen %s", e)
	}
}
