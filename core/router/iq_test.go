package router

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// subscribed is a PresenceHandler in which only the listed pairs are subscribed.
type subscribed struct {
	pairs map[string]bool // "account other"
	gone  []string
	sent  []string
	stop  bool
}

func (f *subscribed) Sent(_ context.Context, p *Pass) error {
	f.sent = append(f.sent, "sent "+p.Stanza.Type+" "+p.Stanza.To.String())
	if f.stop {
		return ErrStop
	}
	return nil
}

func (f *subscribed) Received(_ context.Context, p *Pass) error {
	f.sent = append(f.sent, "received "+p.Stanza.Type+" "+p.Account.JID().String())
	if f.stop {
		return ErrStop
	}
	return nil
}

func (f *subscribed) ProbedNobody(context.Context, *Pass) error { return ErrStop }

func (f *subscribed) Ended(_ context.Context, s *Bound) {
	f.gone = append(f.gone, s.JID().String())
}

func (f *subscribed) Shares(_ context.Context, account *Account, other jid.JID) bool {
	return f.pairs[account.JID().String()+" "+other.Bare().String()]
}

func TestIQToAccountAndHost(t *testing.T) {
	t.Parallel()
	th := newTestHost(t)
	romeo := th.join("romeo@home.test/x", "0")
	var last *IQ
	answer := func(_ context.Context, q *IQ) (*stanza.Element, error) {
		last = q
		switch q.Payload.Attr("do") {
		case "error":
			return nil, stanza.Forbidden("no")
		case "fault":
			return nil, errors.New("secret cause")
		case "later":
			q.Route(q.Stanza.Result())
			return nil, ErrAnswered
		case "nothing":
			return nil, nil
		}
		return stanza.NewElement("urn:x", "answer"), nil
	}
	th.host.Use(Feature{
		HostIQ:    map[string]IQHandler{"urn:x": answer, "urn:host": answer},
		AccountIQ: map[string]IQHandler{"urn:x": answer, "urn:own": Own(answer)},
	})

	ask := func(st *stanza.Stanza) string {
		last = nil
		th.submit("romeo@home.test/x", st)
		got := romeo.take()
		if len(got) != 1 {
			t.Fatalf("%d answers to %s", len(got), st)
		}
		if got[0].ID != st.ID || got[0].Kind != stanza.IQ || got[0].From != st.To { // checklist 41
			t.Errorf("answer %s to %s", got[0], st)
		}
		if e := got[0].Err(); e != nil {
			if strings.Contains(got[0].String(), "secret") {
				t.Error("an inner error was shown")
			}
			return e.Condition
		}
		return got[0].Type
	}
	do := func(to, what string) *stanza.Stanza {
		st := query(to, "set", "urn:x")
		st.Payload = "<query xmlns='urn:x' do='" + what + "'/>"
		return st
	}
	cases := []struct {
		st   *stanza.Stanza
		want string
	}{
		{query("", "get", "urn:x"), "result"}, // checklist 47
		{query("", "get", "urn:none"), "service-unavailable"},
		{query("romeo@home.test", "get", "urn:x"), "result"}, // checklist 48
		{query("romeo@home.test", "get", "urn:none"), "service-unavailable"},
		{query("juliet@home.test", "get", "urn:x"), "result"},
		{query("juliet@home.test", "get", "urn:own"), "service-unavailable"},
		{query("nobody@home.test", "get", "urn:x"), "service-unavailable"},
		{query("nobody@home.test", "get", "urn:own"), "service-unavailable"},
		{query("romeo@home.test", "get", "urn:own"), "result"},
		{query("", "get", "urn:own"), "result"},
		{query("", "get", "urn:host"), "service-unavailable"},
		{query("home.test", "get", "urn:host"), "result"},
		{query("home.test", "get", "urn:own"), "service-unavailable"},
		{query("home.test/r", "get", "urn:host"), "service-unavailable"}, // checklist 53
		{do("home.test", "error"), "forbidden"},
		{do("home.test", "fault"), "internal-server-error"},
		{do("home.test", "later"), "result"},
		{do("home.test", "nothing"), "result"},
	}
	for _, c := range cases { // checklist 45: exactly one answer
		if got := ask(c.st); got != c.want {
			t.Errorf("%s: %s, want %s", c.st, got, c.want)
		}
	}
	ask(query("juliet@home.test", "get", "urn:x"))
	if last.Session == nil || last.Own() || last.Account.JID().String() != "juliet@home.test" {
		t.Errorf("request shown as %+v", last)
	}
	th.router.Route(from(query("romeo@home.test", "get", "urn:x"), "x@away.test/r"))
	if last.Session != nil || last.Own() {
		t.Error("a stranger was shown as a session")
	}
	// A stranger cannot be taken for the account by its address alone.
	th.router.Route(from(query("romeo@home.test", "get", "urn:own"), "romeo@home.test/x"))
	if c := condition(romeo.take()); c != "service-unavailable" {
		t.Errorf("answered %q", c)
	}
}

// checklist 41, 45
func TestMalformedIQ(t *testing.T) {
	t.Parallel()
	th := newTestHost(t)
	romeo := th.join("romeo@home.test/x", "0")
	juliet := th.join("juliet@home.test/a", "0")
	nothing := map[string]IQHandler{"urn:x": func(context.Context, *IQ) (*stanza.Element, error) { return nil, nil }}
	th.host.Use(Feature{HostIQ: nothing, AccountIQ: nothing})
	one := "<q xmlns='urn:x'/>"
	for _, st := range []*stanza.Stanza{
		{Kind: stanza.IQ, Type: "get", Payload: one},
		{Kind: stanza.IQ, Type: "get", ID: "1"},
		{Kind: stanza.IQ, Type: "set", ID: "1", Payload: one + one},
		{Kind: stanza.IQ, Type: "what", ID: "1", Payload: one},
		{Kind: stanza.IQ, ID: "1", Payload: one},
	} {
		for _, to := range []string{"", "home.test", "juliet@home.test", "juliet@home.test/a", "nobody@home.test", "x@away.test"} {
			c := st.Copy()
			if to != "" {
				c.To = jid.MustParse(to)
			}
			th.submit("romeo@home.test/x", c)
			if got := condition(romeo.take()); got != "bad-request" {
				t.Errorf("%s: %q", c, got)
			}
		}
	}
	if got := juliet.take(); len(got) != 0 {
		t.Errorf("delivered %v", got)
	}
	if got := th.remote.take(); len(got) != 0 {
		t.Errorf("sent away %v", got)
	}
}

// Accounts, components and gateways of this server ask each other's sessions (XMPP clients do); strangers need the
// session's presence, and roster pushes come from the account alone.
func TestIQToSessionWithinServer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, space string
		typ         string
		delivered   bool
	}{
		{"nurse@home.test/n", "urn:x", "get", true},
		{"nurse@home.test/n", "urn:x", "set", true},
		{"x@gate.test/r", "urn:x", "get", true},
		{"gate.test", "urn:x", "get", true},
		{"x@away.test/r", "urn:x", "get", false},
		{"away.test", "urn:x", "get", false},
		{"nurse@home.test/n", nsRoster, "set", false},
		{"gate.test", nsRoster, "set", false},
	} {
		for _, strict := range []bool{false, true} {
			th := newTestHost(t)
			th.host.Use(Feature{Name: "presence", Presence: &subscribed{}})
			th.host.strict.Requests = strict
			gate := &recorder{jid: jid.MustParse("gate.test")}
			if err := th.router.Attach(gate.jid, gate); err != nil {
				t.Fatal(err)
			}
			nurse, juliet := th.join("nurse@home.test/n", ""), th.join("juliet@home.test/a", "")
			th.router.Route(from(query("juliet@home.test/a", c.typ, c.space), c.from))
			got := juliet.take()
			if delivered := len(got) == 1; delivered != (c.delivered && !strict) {
				t.Errorf("%s %s from %s, strict %v: delivered %v", c.typ, c.space, c.from, strict, delivered)
			}
			answer := condition(append(append(nurse.take(), gate.take()...), th.remote.take()...))
			if len(got) == 0 && answer != "service-unavailable" {
				t.Errorf("%s %s from %s, strict %v: answered %q", c.typ, c.space, c.from, strict, answer)
			}
		}
	}
}

// checklist 49, 50
func TestIQToSession(t *testing.T) {
	t.Parallel()
	th := newTestHost(t)
	th.host.strict.Requests = true
	f := &subscribed{pairs: map[string]bool{"juliet@home.test romeo@home.test": true}}
	th.host.Use(Feature{Presence: f})
	romeo, nurse := th.join("romeo@home.test/x", "0"), th.join("nurse@home.test/n", "0")
	juliet, second := th.join("juliet@home.test/a", "0"), th.join("juliet@home.test/b", "")

	th.submit("romeo@home.test/x", query("juliet@home.test/a", "get", "urn:x"))
	if len(juliet.take()) != 1 || len(romeo.take()) != 0 {
		t.Error("a subscriber's request did not arrive")
	}
	th.submit("juliet@home.test/b", query("juliet@home.test/a", "get", "urn:x"))
	if len(juliet.take()) != 1 || len(second.take()) != 0 {
		t.Error("an own session's request did not arrive")
	}
	// Who is not subscribed gets the same answer, whether somebody is there or not.
	var answers []string
	for _, to := range []string{"juliet@home.test/a", "juliet@home.test/gone", "nobody@home.test/a"} {
		st := query(to, "get", "urn:x")
		st.ID = "same"
		th.submit("nurse@home.test/n", st)
		got := nurse.take()
		if len(got) != 1 {
			t.Fatalf("%s: %d answers", to, len(got))
		}
		answers = append(answers, strings.Replace(got[0].String(), to, "X", 1))
	}
	if answers[0] != answers[1] || answers[1] != answers[2] || !strings.Contains(answers[0], "service-unavailable") {
		t.Errorf("answers differ: %q", answers)
	}
	if got := juliet.take(); len(got) != 0 {
		t.Errorf("juliet got %v", got)
	}
	// Directed presence opens the way: to a person, or to a room whose occupants then ask.
	th.bound["juliet@home.test/a"].AddDirected(jid.MustParse("nurse@home.test/n"))
	th.bound["juliet@home.test/a"].AddDirected(jid.MustParse("room@away.test/juliet"))
	th.submit("nurse@home.test/n", query("juliet@home.test/a", "get", "urn:x"))
	th.router.Route(from(query("juliet@home.test/a", "get", "urn:x"), "room@away.test/romeo"))
	th.router.Route(from(query("juliet@home.test/a", "get", "urn:x"), "home.test"))
	if got := juliet.take(); len(got) != 3 {
		t.Errorf("juliet got %v", got)
	}
	// Answers always arrive.
	st := from(query("juliet@home.test/a", "get", "urn:x"), "x@away.test/r").Copy()
	st.Type = "result"
	th.router.Route(st)
	if len(juliet.take()) != 1 {
		t.Error("a result did not arrive")
	}
}

// CVE-2015-8688: nobody but the account itself may send a roster push.
func TestCVE_2015_8688_RosterPush(t *testing.T) {
	t.Parallel()
	th := newTestHost(t)
	juliet := th.join("juliet@home.test/a", "0")
	th.join("juliet@home.test/b", "0")
	th.join("romeo@home.test/x", "0")
	push := func() *stanza.Stanza { return query("juliet@home.test/a", "set", nsRoster) }
	for _, sender := range []string{"x@away.test/r", "home.test", "component.home.test", "juliet@home.test/b", "juliet@away.test"} {
		th.router.Route(from(push(), sender))
		hidden := from(push(), sender)
		hidden.Payload = "<r:query xmlns:r='jabber:iq&#58;roster'/>"
		th.router.Route(hidden)
	}
	th.submit("romeo@home.test/x", push())
	th.submit("juliet@home.test/b", push())
	if got := juliet.take(); len(got) != 0 {
		t.Errorf("delivered %v", got)
	}
	th.router.Route(from(push(), "juliet@home.test"))
	if len(juliet.take()) != 1 {
		t.Error("the server's own push did not arrive")
	}
}

// Nor a change of the block list (XEP-0191 §3.3).
func TestForgedBlockingPush(t *testing.T) {
	t.Parallel()
	th := newTestHost(t)
	juliet := th.join("juliet@home.test/a", "0")
	th.join("juliet@home.test/b", "0")
	push := func() *stanza.Stanza { return query("juliet@home.test/a", "set", nsBlocking) }
	for _, sender := range []string{"x@away.test/r", "home.test", "juliet@home.test/b"} {
		th.router.Route(from(push(), sender))
	}
	th.submit("juliet@home.test/b", push())
	if got := juliet.take(); len(got) != 0 {
		t.Errorf("delivered %v", got)
	}
	th.router.Route(from(push(), "juliet@home.test"))
	if len(juliet.take()) != 1 {
		t.Error("the server's own push did not arrive")
	}
}
