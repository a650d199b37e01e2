package router

import (
	"context"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// RFC 6121 §8.5.4, every cell. O: kept by an Undelivered stage; E: service-unavailable;
// S: silence; otherwise the letters of the sessions that get it.
func TestMessageDelivery(t *testing.T) {
	t.Parallel()
	types := []string{"normal", "chat", "groupchat", "headline", "error"}
	cases := []struct {
		name     string
		sessions map[string]string // resource → priority
		to       string
		want     [5]string
	}{
		// checklist 54
		{"no account, bare", nil, "nobody@home.test", [5]string{"E", "E", "E", "E", "S"}},
		// checklist 55
		{"no account, full", nil, "nobody@home.test/a", [5]string{"E", "E", "E", "E", "S"}},
		// checklist 56
		{"no session, bare", nil, "juliet@home.test", [5]string{"O", "O", "E", "S", "S"}},
		// checklist 57
		{"no session, full", nil, "juliet@home.test/a", [5]string{"E", "O", "E", "S", "S"}},
		// checklist 58
		{"negative, bare", map[string]string{"a": "-1"}, "juliet@home.test", [5]string{"O", "O", "E", "S", "S"}},
		{"negative, matched", map[string]string{"a": "-1"}, "juliet@home.test/a", [5]string{"a", "a", "a", "a", "a"}},
		{"negative, unmatched", map[string]string{"a": "-1"}, "juliet@home.test/b", [5]string{"E", "O", "E", "S", "S"}},
		// checklist 59
		{"one, bare", map[string]string{"a": "1"}, "juliet@home.test", [5]string{"a", "a", "E", "a", "S"}},
		{"one, matched", map[string]string{"a": "1"}, "juliet@home.test/a", [5]string{"a", "a", "a", "a", "a"}},
		{"one, unmatched", map[string]string{"a": "1"}, "juliet@home.test/b", [5]string{"E", "a", "E", "S", "S"}},
		// checklist 60
		{"many, bare", map[string]string{"a": "1", "b": "0", "c": "-1"}, "juliet@home.test", [5]string{"ab", "ab", "E", "ab", "S"}},
		{"many, matched", map[string]string{"a": "1", "b": "0"}, "juliet@home.test/b", [5]string{"b", "b", "b", "b", "b"}},
		{"many, unmatched", map[string]string{"a": "1", "b": "0"}, "juliet@home.test/d", [5]string{"E", "ab", "E", "S", "S"}},
		// checklist 62
		{"unavailable, bare", map[string]string{"a": ""}, "juliet@home.test", [5]string{"O", "O", "E", "S", "S"}},
		{"unavailable, matched", map[string]string{"a": ""}, "juliet@home.test/a", [5]string{"a", "a", "a", "a", "a"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var kept int
			keep := func(context.Context, *Pass) error { kept++; return ErrStop }
			th := newTestHost(t, Stage{Name: "offline", Undelivered: keep})
			romeo := th.join("romeo@home.test/x", "0")
			recorders := map[string]*recorder{}
			for r, priority := range c.sessions {
				recorders[r] = th.join("juliet@home.test/"+r, priority)
			}
			for i, typ := range types {
				kept = 0
				th.submit("romeo@home.test/x", message(c.to, typ))
				got := ""
				for _, r := range []string{"a", "b", "c"} {
					if p := recorders[r]; p != nil {
						for _, st := range p.take() {
							got += r
							if st.To.String() != c.to { // checklist 38
								t.Errorf("%s: to was changed into %s", typ, st.To)
							}
						}
					}
				}
				back := condition(romeo.take())
				switch {
				case back == "service-unavailable":
					got += "E"
				case back != "":
					got += back
				case kept > 0:
					got += "O"
				case got == "":
					got = "S"
				}
				if got != c.want[i] { // checklist 61
					t.Errorf("%s: %s, want %s", typ, got, c.want[i])
				}
			}
		})
	}
}

// Strangers get the same answers for an account that is away and for an address without an account. Senders of
// this server are told of a mistyped address, unless the host is strict.
func TestUnknownAccount(t *testing.T) { // checklist 113
	t.Parallel()
	for _, c := range []struct {
		name, sender string
		strict       bool
		answered     bool
	}{
		{"stranger", "x@away.test/r", false, false},
		{"account of this server", "romeo@home.test/x", false, true},
		{"component", "x@gate.test", false, true},
		{"account, strict", "romeo@home.test/x", true, false},
		{"component, strict", "x@gate.test", true, false},
	} {
		th := newTestHost(t, Stage{Name: "offline", Undelivered: func(context.Context, *Pass) error { return ErrStop }})
		th.host.strict.Unknown = c.strict
		gate := &recorder{jid: jid.MustParse("gate.test")}
		if err := th.router.Attach(gate.jid, gate); err != nil {
			t.Fatal(err)
		}
		romeo := th.join("romeo@home.test/x", "0")
		answer := func(to, typ string) string {
			th.router.Route(from(message(to, typ), c.sender))
			return condition(append(append(romeo.take(), gate.take()...), th.remote.take()...))
		}
		for _, typ := range []string{"normal", "chat", "groupchat", "headline", "", "error"} { // checklist 113
			for _, resource := range []string{"", "/a"} {
				want := answer("juliet@home.test"+resource, typ)
				if c.answered && typ != "error" {
					want = "service-unavailable" // RFC 6121 §8.5.1
				}
				if got := answer("nobody@home.test"+resource, typ); got != want {
					t.Errorf("%s: %q%s: answered %q, want %q", c.name, typ, resource, got, want)
				}
			}
		}
	}
}

// An account that cannot be looked up counts as one that exists.
func TestAccountNotLookedUp(t *testing.T) {
	t.Parallel()
	var account string
	th := newTestHost(t, Stage{Undelivered: func(_ context.Context, p *Pass) error {
		account = p.Account.JID().String()
		return nil
	}})
	for to, want := range map[string]string{"nobody@home.test": "", "juliet@home.test": "juliet@home.test", "broken@home.test": "broken@home.test"} {
		account = ""
		th.router.Route(from(message(to, "chat"), "x@away.test/r"))
		th.settle()
		if account != want {
			t.Errorf("%s: handled as %q", to, account)
		}
	}
}

// checklist 63
func TestMessageWithoutToIsForOneself(t *testing.T) {
	t.Parallel()
	th := newTestHost(t)
	a, b := th.join("romeo@home.test/a", "0"), th.join("romeo@home.test/b", "0")
	th.submit("romeo@home.test/a", message("", "chat"))
	if len(a.take()) != 1 || len(b.take()) != 1 {
		t.Error("not delivered to the own account")
	}
}

func TestStages(t *testing.T) {
	t.Parallel()
	var seen []string
	note := func(name string, err error) func(context.Context, *Pass) error {
		return func(_ context.Context, p *Pass) error {
			seen = append(seen, name+" "+p.Account.JID().String())
			if p.Stanza.Body() == name {
				return err
			}
			return nil
		}
	}
	th := newTestHost(t,
		Stage{Name: "1", Outbound: note("out1", stanza.NotAcceptable("blocked")), Inbound: note("in1", ErrStop)},
		Stage{Name: "2", Inbound: func(_ context.Context, p *Pass) error {
			if p.Stanza.Type == "error" {
				return nil
			}
			seen = append(seen, "targets")
			if len(p.Targets) != 1 {
				t.Errorf("targets %v", p.Targets)
			}
			p.Stanza = p.Stanza.With(stanza.NewElement("urn:x", "mark"))
			p.Deliver(onlySession(t, p), stanza.NewMessage(p.Stanza.To, p.Stanza.From, "headline"))
			return nil
		}},
		Stage{Name: "3", Inbound: note("in3", context.DeadlineExceeded)},
	)
	romeo, juliet := th.join("romeo@home.test/x", "0"), th.join("juliet@home.test/a", "0")
	seen = nil
	send := func(body string) {
		seen = nil
		th.submit("romeo@home.test/x", stanza.NewMessage(jid.MustParse("juliet@home.test"), jid.JID{}, "chat", stanza.TextElement("", "body", body)))
	}
	send("hi")
	got := juliet.take()
	if len(got) != 2 || got[1].Child("urn:x", "mark") == nil || got[0].Type != "headline" {
		t.Errorf("juliet got %v", got)
	}
	want := []string{"out1 romeo@home.test", "in1 juliet@home.test", "targets", "in3 juliet@home.test"}
	for i := range want {
		if i >= len(seen) || seen[i] != want[i] {
			t.Fatalf("stages %v, want %v", seen, want)
		}
	}
	for body, want := range map[string]string{"out1": "not-acceptable", "in1": "", "in3": "internal-server-error"} {
		send(body)
		if c := condition(romeo.take()); c != want {
			t.Errorf("%s: answered %q, want %q", body, c, want)
		}
		for _, st := range juliet.take() {
			if st.Body() != "" {
				t.Errorf("%s: delivered all the same", body)
			}
		}
	}
}

// onlySession is the only session of the account.
func onlySession(t *testing.T, p *Pass) *Bound {
	t.Helper()
	list := p.Account.Sessions()
	if len(list) != 1 {
		t.Fatalf("%d sessions", len(list))
	}
	return list[0]
}

func TestReturn(t *testing.T) {
	t.Parallel()
	kept, inbound := 0, 0
	th := newTestHost(t, Stage{
		Inbound:     func(context.Context, *Pass) error { inbound++; return nil },
		Undelivered: func(context.Context, *Pass) error { kept++; return ErrStop },
	})
	romeo := th.join("romeo@home.test/x", "0")
	gone := th.bind(&recorder{jid: jid.MustParse("juliet@home.test/gone")}, BindOptions{})
	gone.Unbind(t.Context())
	inbound = 0
	for _, typ := range []string{"chat", "normal"} {
		th.host.Return(from(message("juliet@home.test/gone", typ), "romeo@home.test/x"))
	}
	if kept != 2 || inbound != 0 {
		t.Errorf("kept %d, inbound %d", kept, inbound)
	}
	juliet := th.join("juliet@home.test/b", "0")
	inbound = 0
	th.host.Return(from(message("juliet@home.test/gone", "chat"), "romeo@home.test/x"))
	if len(juliet.take()) != 1 || inbound != 0 {
		t.Error("not delivered to the other session")
	}
	th.host.Return(from(message("juliet@home.test", "chat"), "romeo@home.test/x"))
	if len(juliet.take()) != 0 || kept != 2 {
		t.Error("delivered twice")
	}
	// A session that is there and full: nobody gets it, it is kept.
	th.host.Keep(from(message("juliet@home.test/b", "chat"), "romeo@home.test/x"))
	th.host.Keep(from(message("juliet@home.test/b", "headline"), "romeo@home.test/x"))
	if len(juliet.take()) != 0 || kept != 3 {
		t.Errorf("kept %d", kept)
	}
	th.host.Return(from(message("juliet@home.test/gone", "groupchat"), "romeo@home.test/x"))
	if c := condition(romeo.take()); c != "service-unavailable" {
		t.Errorf("groupchat answered %q", c)
	}
	th.host.Return(from(query("juliet@home.test/gone", "get", "urn:x"), "romeo@home.test/x"))
	if c := condition(romeo.take()); c != "service-unavailable" {
		t.Errorf("iq answered %q", c)
	}
}

func TestMessageToHost(t *testing.T) {
	t.Parallel()
	th := newTestHost(t)
	romeo := th.join("romeo@home.test/x", "0")
	th.submit("romeo@home.test/x", message("home.test", "chat"))
	if c := condition(romeo.take()); c != "service-unavailable" { // checklist 53
		t.Errorf("answered %q", c)
	}
	got := 0
	th.host.Use(Feature{HostMessage: func(_ context.Context, p *Pass) error {
		if p.Stanza.Type == "headline" {
			got++
			return ErrStop
		}
		return nil
	}})
	th.submit("romeo@home.test/x", message("home.test", "headline"))
	if c := condition(romeo.take()); c != "" || got != 1 {
		t.Errorf("answered %q, handled %d", c, got)
	}
	th.submit("romeo@home.test/x", message("home.test/r", "normal"))
	if c := condition(romeo.take()); c != "service-unavailable" {
		t.Errorf("answered %q", c)
	}
}
