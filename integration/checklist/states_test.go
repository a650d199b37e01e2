package checklist

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/integration/xmltree"
)

// cell is what RFC 6121 Appendix A says of one stanza in one state.
type cell struct {
	pass bool // it goes on: to the contact, or to the account's sessions
	next string
}

// rows of Appendix A.2 and A.3, in the order of stateNames. A state followed by "." is one
// in which the stanza does not go on; PA is a pre-approval. The answers are told apart below.
var (
	outRows = map[string]string{
		"subscribe":    "N+PO N+PO N+POI N+POI T T+PI F+PO F+PO B", // checklist 73
		"unsubscribe":  "N N N+PI N+PI N N+PI F F F",               // checklist 74
		"subscribed":   "N. N+PO. F F+PO T. B F. F+PO. B.",         // checklist 75
		"unsubscribed": "N. N+PO. N N+PO T. T N N+PO T",            // checklist 76
	}
	inRows = map[string]string{
		"subscribe":    "N+PI N+POI N+PI. N+POI. T+PI T+PI. F. F+PO. B.", // checklist 77
		"unsubscribe":  "N. N+PO. N N+PO T. T N N+PO T",                  // checklist 78
		"subscribed":   "N. T N+PI. T+PI T. T+PI. F. B B.",               // checklist 79
		"unsubscribed": "N. N N+PI. N+PI N N+PI F. F F",                  // checklist 80
	}
)

func cellOf(rows map[string]string, typ, state string) cell {
	text := strings.Fields(rows[typ])[slices.Index(stateNames, state)]
	next, stays := strings.CutSuffix(text, ".")
	return cell{pass: !stays, next: next}
}

func forEachState(t *testing.T, test func(t *testing.T, w, k *rawClient, contact, typ, state string), kinds map[string]string) {
	h := sharedServer(t)
	for typ := range kinds {
		t.Run(typ, func(t *testing.T) {
			t.Parallel()
			w := h.session(t, newAccount(t), "home")
			k := h.component(t, domain(t))
			w.roster()
			w.send("<presence/>")
			w.settle()
			for i, state := range stateNames {
				contact := fmt.Sprintf("c%d@%s", i, k.jid)
				intoState(t, w, k, contact, state)
				test(t, w, k, contact, typ, state)
			}
		})
	}
}

// kindsFrom are the subscription stanzas among those from an address, by type.
func kindsFrom(list []*xmltree.Element, from string) []string {
	var got []string
	for _, e := range list {
		if strings.Contains(e.Attr("type"), "subscribe") && e.Attr("from") == from {
			got = append(got, e.Attr("type"))
		}
	}
	return got
}

func TestOutbound(t *testing.T) { // checklist 81
	forEachState(t, func(t *testing.T, w, k *rawClient, contact, typ, state string) {
		want := cellOf(outRows, typ, state)
		before := w.roster()
		w.send("<presence type='" + typ + "' to='" + contact + "/resource' id='s'><status>words</status></presence>")
		atAccount, atContact := both(w, k)
		got := kindsFrom(atContact, w.bare())
		if routed := slices.Equal(got, []string{typ}); routed != want.pass || !routed && len(got) > 0 {
			t.Errorf("%s in %s: the contact gets %v", typ, state, got)
		}
		for _, e := range atContact {
			if e.Attr("type") == typ && (e.Attr("to") != contact || e.ChildText("status") != "words" || e.Attr("id") != "s") {
				t.Errorf("%s in %s: %s", typ, state, e)
			}
		}
		after := w.roster()
		if push := pushed(t, atAccount, w.bare()); len(push) > 1 || (len(push) == 1) == slices.Equal(before, after) {
			t.Errorf("%s in %s: pushed %v\nbefore %v\nafter %v", typ, state, push, before, after)
		} else if len(push) == 1 && !slices.Contains(after, push[0]) {
			t.Errorf("%s in %s: pushed %v, but the roster has %v", typ, state, push, after)
		}
		if got := stateOf(t, w, k, contact); got != want.next {
			t.Errorf("%s in %s leads to %s, want %s", typ, state, got, want.next)
		}
	}, outRows)
}

func TestInbound(t *testing.T) { // checklist 81
	forEachState(t, func(t *testing.T, w, k *rawClient, contact, typ, state string) {
		want := cellOf(inRows, typ, state)
		before := w.roster()
		k.send("<presence type='" + typ + "' from='" + contact + "/resource' to='" + w.jid + "' id='s'><status>words</status></presence>")
		atAccount, atContact := both(w, k)
		got := kindsFrom(atAccount, contact)
		if delivered := slices.Equal(got, []string{typ}); delivered != want.pass || !delivered && len(got) > 0 {
			t.Errorf("%s in %s: the account gets %v", typ, state, got)
		}
		for _, e := range atAccount {
			if e.Attr("type") == typ && (e.Attr("to") != w.bare() || e.ChildText("status") != "words") {
				t.Errorf("%s in %s: %s", typ, state, e)
			}
		}
		// Who is subscribed already is told so; whoever leaves is told that it is done.
		answers := kindsFrom(atContact, w.bare())
		subscribed := strings.HasPrefix(state, "F") || state == "B"
		switch {
		case typ == "subscribe" && subscribed:
			same(t, "subscribe in "+state+" is answered", answers, []string{"subscribed"})
		case typ == "unsubscribe" && want.pass:
			same(t, "unsubscribe in "+state+" is answered", answers, []string{"unsubscribed"})
		case len(answers) > 0:
			t.Errorf("%s in %s is answered with %v", typ, state, answers)
		}
		after := w.roster()
		if push := pushed(t, atAccount, w.bare()); len(push) > 1 || (len(push) == 1) == slices.Equal(before, after) {
			t.Errorf("%s in %s: pushed %v\nbefore %v\nafter %v", typ, state, push, before, after)
		}
		if got := stateOf(t, w, k, contact); got != want.next {
			t.Errorf("%s in %s leads to %s, want %s", typ, state, got, want.next)
		}
	}, inRows)
}
