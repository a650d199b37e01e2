package serverinfo

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// network answers the questions of a host.
type network struct {
	router *router.Router
	answer func(*stanza.Stanza) *stanza.Stanza
	asked  []string
}

func (n *network) Deliver(st *stanza.Stanza) {
	n.asked = append(n.asked, st.To.String())
	if answer := n.answer(st); answer != nil {
		n.router.Route(answer)
	}
}

func newInfo(t *testing.T, answer func(*stanza.Stanza) *stanza.Stanza) (*Info, *network) {
	t.Helper()
	r := router.New(slog.New(slog.DiscardHandler))
	n := &network{router: r, answer: answer}
	r.SetRemote(n)
	h := router.NewHost(r, jid.MustParse("home.test"), router.HostOptions{Log: slog.New(slog.DiscardHandler)})
	if err := r.Attach(jid.MustParse("home.test"), h); err != nil {
		t.Fatal(err)
	}
	return New(h, Options{Every: time.Minute, Service: jid.MustParse("pubsub.home.test")}), n
}

func (i *Info) shown(list ...Connection) string { return stanza.Encode(i.document(list, time.Now())) }

// answerWith answers disco#info with features.
func answerWith(features ...string) func(*stanza.Stanza) *stanza.Stanza {
	return func(st *stanza.Stanza) *stanza.Stanza {
		query := stanza.NewElement("http://jabber.org/protocol/disco#info", "query")
		for _, f := range features {
			query.Add(stanza.NewElement("http://jabber.org/protocol/disco#info", "feature").With("var", f))
		}
		return st.Result(query)
	}
}

// Each domain of ours has its connections, in an order that does not depend on names that are not published (XEP-0485 §4).
func TestDocument(t *testing.T) {
	t.Parallel()
	i, _ := newInfo(t, func(st *stanza.Stanza) *stanza.Stanza {
		if strings.HasPrefix(st.To.Domain(), "shy") {
			return answerWith("http://jabber.org/protocol/disco#info")(st)
		}
		return answerWith(NS)(st)
	})
	if got, want := i.shown(), "<serverinfo xmlns='urn:xmpp:serverinfo:0'><domain name='home.test'><federation/></domain></serverinfo>"; got != want {
		t.Errorf("got %s", got)
	}
	list := []Connection{
		{"rooms.home.test", "b.test", Outgoing}, {"home.test", "shy.test", Both}, {"home.test", "b.test", Incoming}, {"home.test", "z.test", Both},
		{"home.test", "b.test", Outgoing}, {"home.test", "a.shy.test", Both}, {"home.test", "shy2.test", Incoming},
	}
	if first := i.shown(list...); strings.Contains(first, "remote-domain name=") {
		t.Errorf("named before they were asked: %s", first)
	}
	want := "<serverinfo xmlns='urn:xmpp:serverinfo:0'><domain name='home.test'><federation>" +
		"<remote-domain name='a.shy.test'><connection type='bidi'/></remote-domain>" +
		"<remote-domain name='b.test'><connection type='incoming'/><connection type='outgoing'/></remote-domain>" +
		"<remote-domain name='z.test'><connection type='bidi'/></remote-domain>" +
		"<remote-domain><connection type='bidi'/></remote-domain><remote-domain><connection type='incoming'/></remote-domain></federation></domain>" +
		"<domain name='rooms.home.test'><federation><remote-domain name='b.test'><connection type='outgoing'/></remote-domain></federation></domain></serverinfo>"
	if got := i.shown(list...); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A domain is named only while its own answer is not old; an error, silence and the answer of another one are no consent. It is asked once an hour.
func TestConsent(t *testing.T) {
	t.Parallel()
	agrees := answerWith("urn:other", NS)
	for name, c := range map[string]struct {
		answer func(*stanza.Stanza) *stanza.Stanza
		named  bool
	}{
		"agrees":      {agrees, true},
		"does not":    {answerWith("urn:xmpp:serverinfo:0:other", "pubsub"), false},
		"error":       {func(st *stanza.Stanza) *stanza.Stanza { return st.ErrorReply(stanza.ServiceUnavailable("")) }, false},
		"silence":     {func(*stanza.Stanza) *stanza.Stanza { return nil }, false},
		"empty":       {func(st *stanza.Stanza) *stanza.Stanza { return st.Result() }, false},
		"another one": {func(st *stanza.Stanza) *stanza.Stanza { a := agrees(st); a.From = jid.MustParse("evil.test"); return a }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				i, n := newInfo(t, c.answer)
				one := Connection{"home.test", "b.test", Both}
				for range 10 {
					i.shown(one)
				}
				if len(n.asked) != 1 {
					t.Errorf("asked %v", n.asked)
				}
				named := func() bool { return strings.Contains(i.shown(one), "name='b.test'") }
				if named() != c.named {
					t.Errorf("named: %v", named())
				}
				n.answer = func(*stanza.Stanza) *stanza.Stanza { return nil }
				time.Sleep(askEvery + time.Minute)
				if named() != c.named || len(n.asked) != 2 {
					t.Errorf("after an hour: %v, asked %v", named(), n.asked)
				}
				time.Sleep(2 * time.Minute) // the question was not answered
				if named() {
					t.Error("named although it does not answer any more")
				}
			})
		})
	}
}

// Few domains are asked at once, however many are connected, and what is published stays small.
func TestManyDomains(t *testing.T) {
	t.Parallel()
	i, n := newInfo(t, answerWith(NS))
	var list []Connection
	for k := range 2500 {
		list = append(list, Connection{"home.test", fmt.Sprint(strings.Repeat("x", 60), ".", strings.Repeat("y", 60), ".", k, ".test"), Both})
	}
	for range 5 {
		before := len(n.asked)
		got := i.shown(list...)
		if len(n.asked)-before > maxAsked {
			t.Fatalf("%d are asked at once", len(n.asked)-before)
		}
		if len(got) > 240_000 {
			t.Fatalf("%d bytes", len(got))
		}
	}
}
