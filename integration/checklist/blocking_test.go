package checklist

import (
	"slices"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/integration/xmltree"
)

const nsBlocking = "urn:xmpp:blocking" // XEP-0191

func offers(q *xmltree.Element, feature string) bool {
	for _, f := range q.Children {
		if f.Name.Local == "feature" && f.Attr("var") == feature {
			return true
		}
	}
	return false
}

func TestBlocking(t *testing.T) { // checklist 98
	f := newContacts(t)
	if q := f.w.ask("get", servedHost, "<query xmlns='http://jabber.org/protocol/disco#info'/>").Child("", "query"); q == nil || !offers(q, nsBlocking) {
		t.Errorf("%s is not offered", nsBlocking)
	}
	f.w.send("<presence/>")
	f.received()
	if e := f.w.ask("set", "", "<block xmlns='"+nsBlocking+"'><item jid='"+f.both+"'/></block>"); e.Attr("type") != "result" {
		t.Fatal(e)
	}
	same(t, "the blocked contact sees", f.received(), []string{"unavailable both home"})
	f.w.send("<presence><show>away</show></presence>")
	same(t, "a broadcast goes to", f.received(), []string{"from home"})

	// From the contact: messages and questions come back, presence goes nowhere.
	f.k.send("<message type='chat' id='m' from='" + f.both + "' to='" + f.w.bare() + "'><body>x</body></message>" +
		"<iq type='get' id='q' from='" + f.both + "' to='" + f.w.jid + "'><query xmlns='jabber:iq:version'/></iq>" +
		"<presence from='" + f.both + "'  to='" + f.w.bare() + "'/><presence type='probe' from='" + f.both + "' to='" + f.w.bare() + "'/>")
	atAccount, atContact := both(f.w, f.k)
	for _, e := range atAccount {
		if strings.HasPrefix(e.Attr("from"), f.both) {
			t.Errorf("delivered: %s", e)
		}
	}
	var received []string
	for _, e := range atContact {
		if strings.HasPrefix(e.Attr("to"), f.both) {
			received = append(received, e.Name.Local+" "+e.Attr("id")+" "+condition(e))
		}
	}
	slices.Sort(received)
	same(t, "the blocked contact gets", received, []string{"iq q service-unavailable", "message m service-unavailable"})
	// To the contact: not-acceptable, and the reason.
	for _, send := range []string{
		"<message id='b' type='chat' to='" + f.both + "'><body>x</body></message>",
		"<iq id='b' type='get' to='" + f.both + "'><query xmlns='jabber:iq:version'/></iq>",
	} {
		f.w.send(send)
		e := f.w.element()
		if condition(e) != "not-acceptable" || e.Child("", "error").Child("urn:xmpp:blocking:errors", "blocked") == nil {
			t.Errorf("to a blocked contact: %s", e)
		}
	}
	if e := f.w.ask("set", "", "<unblock xmlns='"+nsBlocking+"'><item jid='"+f.both+"'/></unblock>"); e.Attr("type") != "result" {
		t.Fatal(e)
	}
	same(t, "the contact sees again, and is asked", f.received(), []string{"both home", "probe both"})
}
