package roster

import (
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// The nine states by the names of the appendix, in its order.
var names = [states]string{"N", "N+PO", "N+PI", "N+POI", "T", "T+PI", "F", "F+PO", "B"}

var romeo = jid.MustParse("romeo@example.net")

func request() *stanza.Stanza {
	return stanza.NewPresence(jid.MustParse("juliet@example.com"), romeo, stanza.TypeSubscribe)
}

// entryIn is an entry in a state, made without the code under test.
func entryIn(name string, approved bool) *Entry {
	e := &Entry{Item: Item{JID: romeo, Approved: approved}}
	base, pending, _ := strings.Cut(name, "+")
	e.Subscription = map[string]Subscription{"N": None, "T": To, "F": From, "B": Both}[base]
	e.Ask = strings.Contains(pending, "O")
	if strings.Contains(pending, "I") {
		e.Request = request()
	}
	e.Listed = e.Subscription != None || e.Ask || approved
	return e
}

// nameOf is the reverse of entryIn.
func nameOf(e *Entry) string {
	name := map[Subscription]string{None: "N", To: "T", From: "F", Both: "B"}[e.Subscription]
	switch {
	case e.Ask && e.Request != nil:
		return name + "+POI"
	case e.Ask:
		return name + "+PO"
	case e.Request != nil:
		return name + "+PI"
	}
	return name
}

// row is one table of the appendix written as there: for each state whether the stanza
// goes on (M must; S should not, X must not) and the state afterwards ("=": the same).
type row struct{ typ, pass, next string }

// checklist 73, 74, 75, 76: RFC 6121 Appendix A.2
var outbound = []row{
	{"subscribe", "M M M M M M M M M", "N+PO = N+POI = = = F+PO = ="},
	{"unsubscribe", "M M M M M M M M M", "= N = N+PI N N+PI = F F"},
	{"subscribed", "X X M M X M X X X", "= = F F+PO = B = = ="},
	{"unsubscribed", "S S M M S M M M M", "= = N N+PO = T N N+PO T"},
}

// checklist 77, 78, 79, 80: RFC 6121 Appendix A.3
var inbound = []row{
	{"subscribe", "M M S S M S S S S", "N+PI N+POI = = T+PI = = = ="},
	{"unsubscribe", "S S M M S M M M M", "= = N N+PO = T N N+PO T"},
	{"subscribed", "S M S M S S S M S", "= T = T+PI = = = B ="},
	{"unsubscribed", "S M S M M M S M M", "= N = N+PI N N+PI = F F"},
}

func each(t *testing.T, rows []row, f func(t *testing.T, e *Entry, typ string) (pass bool)) {
	t.Helper()
	for _, r := range rows {
		pass, next := strings.Fields(r.pass), strings.Fields(r.next)
		if len(pass) != states || len(next) != states {
			t.Fatalf("%s: %d and %d columns", r.typ, len(pass), len(next))
		}
		for i, name := range names {
			e := entryIn(name, false)
			listed := e.Listed
			want := next[i]
			if want == "=" {
				want = name
			}
			got := f(t, e, r.typ)
			if now := nameOf(e); now != want {
				t.Errorf("%s in %s leads to %s, not to %s", r.typ, name, now, want)
			}
			if got != (pass[i] == "M") {
				t.Errorf("%s in %s goes on: %v", r.typ, name, got)
			}
			if e.Listed != (listed || e.Subscription != None || e.Ask || e.Approved) {
				t.Errorf("%s in %s: listed %v", r.typ, name, e.Listed)
			}
		}
	}
}

func TestOutbound(t *testing.T) {
	t.Parallel()
	each(t, outbound, func(t *testing.T, e *Entry, typ string) bool {
		before := *e
		pass := e.sent(typ)
		// Pre-approval: exactly where "subscribed" finds nobody to approve (A.2.3 [1]).
		want := typ == stanza.TypeSubscribed && !before.Subscription.HasFrom() && before.Request == nil
		if e.Approved != want {
			t.Errorf("%s in %s: approved %v", typ, nameOf(&before), e.Approved)
		}
		return pass
	})
}

func TestInbound(t *testing.T) {
	t.Parallel()
	each(t, inbound, func(t *testing.T, e *Entry, typ string) bool {
		before := *e
		st := stanza.NewPresence(jid.MustParse("juliet@example.com"), romeo, typ)
		f := e.received(st)
		reply := ""
		switch {
		case typ == stanza.TypeSubscribe && before.Subscription.HasFrom(): // A.3.1 [2]
			reply = stanza.TypeSubscribed
		case typ == stanza.TypeUnsubscribe && (before.Subscription.HasFrom() || before.Request != nil): // A.3.2 [1]
			reply = stanza.TypeUnsubscribed
		}
		if f.reply != reply {
			t.Errorf("%s in %s is answered %q", typ, nameOf(&before), f.reply)
		}
		if before.Request != nil && e.Request != nil && e.Request != before.Request {
			t.Errorf("%s in %s replaces the request", typ, nameOf(&before))
		}
		if e.Approved {
			t.Errorf("%s in %s approves", typ, nameOf(&before))
		}
		return f.deliver
	})
}

// checklist 76, 85: only "unsubscribed" of the account's own takes a pre-approval back
func TestPreApproval(t *testing.T) {
	t.Parallel()
	granted := map[string]string{"N": "F", "N+PO": "F+PO", "T": "B", "F": "F", "F+PO": "F+PO", "B": "B"}
	for name, next := range granted {
		e := entryIn(name, true)
		f := e.received(request())
		if nameOf(e) != next || f.deliver || f.reply != stanza.TypeSubscribed || !e.Approved {
			t.Errorf("subscribe in %s leads to %s, %+v, approved %v", name, nameOf(e), f, e.Approved)
		}
		for _, typ := range []string{stanza.TypeUnsubscribe, stanza.TypeSubscribed, stanza.TypeUnsubscribed} {
			e := entryIn(name, true)
			e.received(stanza.NewPresence(jid.JID{}, romeo, typ))
			if !e.Approved || !e.Listed {
				t.Errorf("%s from outside in %s takes the pre-approval back", typ, name)
			}
		}
		e = entryIn(name, true)
		if e.sent(stanza.TypeUnsubscribed); e.Approved {
			t.Errorf("unsubscribed in %s leaves the pre-approval", name)
		}
		if name == "N" && !e.Listed {
			t.Error("the item goes with the pre-approval")
		}
	}
}

// Every state is told apart, and entering it gives it.
func TestStates(t *testing.T) {
	t.Parallel()
	for i, name := range names {
		if got := stateOf(entryIn(name, false)); got != State(i) {
			t.Errorf("%s is taken for %s", name, names[got])
		}
		e := &Entry{Item: Item{JID: romeo, Subscription: None}}
		e.setState(State(i), request())
		if nameOf(e) != name {
			t.Errorf("entering %s gives %s", name, nameOf(e))
		}
	}
}
