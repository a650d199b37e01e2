package plays

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/dragoman-im/dragoman/core/features/carbons"
	"github.com/dragoman-im/dragoman/core/features/contact"
	"github.com/dragoman-im/dragoman/core/features/disco"
	"github.com/dragoman-im/dragoman/core/features/entitytime"
	"github.com/dragoman-im/dragoman/core/features/last"
	"github.com/dragoman-im/dragoman/core/features/mam"
	"github.com/dragoman-im/dragoman/core/features/offline"
	"github.com/dragoman-im/dragoman/core/features/ping"
	"github.com/dragoman-im/dragoman/core/features/presence"
	"github.com/dragoman-im/dragoman/core/features/private"
	"github.com/dragoman-im/dragoman/core/features/privilege"
	"github.com/dragoman-im/dragoman/core/features/register"
	"github.com/dragoman-im/dragoman/core/features/roster"
	"github.com/dragoman-im/dragoman/core/features/vcard"
	"github.com/dragoman-im/dragoman/core/features/version"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/store"
	"github.com/dragoman-im/dragoman/core/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	domain   = jid.MustParse("example.org")
	gateway  = jid.MustParse("gw.example.org")
	notifier = jid.MustParse("notify.example.org")
)

// server is a host with everything that a host has.
type server struct {
	t        *testing.T
	store    *store.Store
	router   *router.Router
	host     *router.Host
	roster   *roster.Roster
	presence *presence.Presence
	offline  *offline.Offline
	archive  *mam.Archive
	register *register.Register
	private  *privilege.Privileges
	disco    *disco.Disco
	gateway  *entity
	remote   *entity
}

func start(t *testing.T, accounts ...string) *server {
	t.Helper()
	return startAt(t, storetest.URL(t), store.Limits{}, accounts...)
}

func startAt(t *testing.T, url string, limits store.Limits, accounts ...string) *server {
	t.Helper()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	st, err := store.Open(t.Context(), store.Options{URL: url, Log: log, Iterations: 4096, Limits: limits})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &server{t: t, store: st, router: router.New(log)}
	s.host = router.NewHost(s.router, domain, router.HostOptions{Accounts: st, Log: log})
	s.private = privilege.New(s.host, map[jid.JID]privilege.Permissions{gateway: {Roster: true, Message: true}, notifier: {Message: true}})
	s.roster = roster.New(s.host, st, roster.Options{Privileges: s.private, Log: log})
	s.presence = presence.New(s.host, s.roster, st, log)
	s.roster.SetWatcher(s.presence)
	s.offline = offline.New(s.host, st, log)
	s.presence.OnArrival(s.offline.Arrived)
	s.archive = mam.New(s.host, st, mam.Options{Listed: s.roster.Listed, Log: log})
	carbons.New(s.host)
	s.host.SetStages(s.offline.Stage(), s.archive.Stage(), carbons.Stage(), s.offline.Turn())
	s.register = register.New(s.host, st, register.Options{Open: true, Removed: s.removed, Log: log})
	d := disco.New(s.host, disco.Options{Name: "Example", Node: "https://example.org/software", Shares: s.presence.Shares})
	s.disco = d
	ping.New(s.host)
	entitytime.New(s.host)
	version.New(s.host, "Dragoman", "1")
	d.AddFeatures(slices.Concat(s.roster.Features(), s.offline.Features(), s.register.Features(), ping.Features(),
		entitytime.Features(), version.Features(), vcard.New(s.host, st, 1000).Features(),
		private.New(s.host, st).Features(), last.New(s.host, st, s.presence.Shares).Features())...)
	d.AddFeatures(carbons.Features()...)
	d.AddFeatures(s.archive.Features()...)
	d.AddAccountFeatures(s.archive.Features()...)
	d.Add(contact.Info([]string{"mailto:admin@example.org"}))
	d.Add(version.Info("Dragoman", "1"))
	d.AddItem(gateway, "Gateway")
	s.gateway, s.remote = &entity{t: t, s: s}, &entity{t: t, s: s}
	if err := s.router.Attach(domain, s.host); err != nil {
		t.Fatal(err)
	}
	if err := s.router.Attach(gateway, s.gateway); err != nil {
		t.Fatal(err)
	}
	s.router.SetRemote(s.remote)
	for _, a := range accounts {
		if err := st.CreateAccount(t.Context(), jid.MustParse(a+"@example.org"), sasl.Credentials{}); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// removed does for an account what a running server does.
func (s *server) removed(account jid.JID) {
	farewell, err := s.roster.Farewell(s.t.Context(), account)
	if err == nil {
		farewell(s.router.Route)
		err = s.store.DeleteAccount(s.t.Context(), account)
	}
	if err != nil {
		s.t.Error(err)
	}
}

// settle waits until all that was handed to the store is written.
func (s *server) settle() {
	s.t.Helper()
	if _, err := s.store.OfflineMessages(s.t.Context(), domain, 1); err != nil {
		s.t.Fatal(err)
	}
}

// entity takes down what it gets: a domain that is not ours, or a component.
type entity struct {
	t   *testing.T
	s   *server
	mu  sync.Mutex
	got []*stanza.Stanza
}

func (e *entity) Deliver(st *stanza.Stanza) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.got = append(e.got, st)
}

func (e *entity) Flush() {}

// sends routes stanzas with the from that they name.
func (e *entity) sends(xml ...string) {
	e.t.Helper()
	for _, x := range xml {
		e.s.router.Route(parse(e.t, x))
	}
}

func (e *entity) take() []*stanza.Stanza {
	e.mu.Lock()
	defer e.mu.Unlock()
	got := e.got
	e.got = nil
	return got
}

// gets checks that exactly these have come, in this order. What a pattern leaves out may
// be anything; "*" is any value of an attribute.
func (e *entity) gets(want ...string) {
	e.t.Helper()
	got := e.take()
	if len(got) != len(want) {
		e.t.Fatalf("got %d stanzas, want %d:\n%s", len(got), len(want), show(got))
	}
	for i := range want {
		if why := differs(parseElement(e.t, want[i]), got[i].Tree()); why != "" {
			e.t.Errorf("stanza %d: %s\nwant %s\ngot  %s", i, why, want[i], got[i])
		}
	}
}

// getsSome is gets in any order.
func (e *entity) getsSome(want ...string) {
	e.t.Helper()
	got := e.take()
	left := slices.Clone(got)
	for _, w := range want {
		pattern := parseElement(e.t, w)
		at := slices.IndexFunc(left, func(st *stanza.Stanza) bool { return differs(pattern, st.Tree()) == "" })
		if at < 0 {
			e.t.Errorf("missing %s in\n%s", w, show(got))
			continue
		}
		left = slices.Delete(left, at, at+1)
	}
	if len(left) > 0 {
		e.t.Errorf("not expected:\n%s", show(left))
	}
}

// client is a session.
type client struct {
	entity
	jid    jid.JID
	batch  *router.Batch
	bound  *router.Bound
	closed string
}

func (c *client) JID() jid.JID { return c.jid }

func (c *client) Close(condition, _ string) { c.closed = condition }

// login binds a session, which is not available yet.
func (s *server) login(full string) *client {
	s.t.Helper()
	c := &client{entity: entity{t: s.t, s: s}, jid: jid.MustParse(full), batch: router.NewBatch(s.t.Context())}
	b, err := s.host.Bind(s.t.Context(), c, router.Claim{Replace: true})
	if err != nil {
		s.t.Fatal(err)
	}
	c.bound = b
	c.batch.SetSession(b)
	return c
}

// online is login, the roster and presence; what that brings is thrown away.
func (s *server) online(full string) *client {
	s.t.Helper()
	c := s.login(full)
	c.sends(`<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>`, `<presence/>`)
	c.take()
	return c
}

// drop ends the session as a lost connection does.
func (c *client) drop() {
	ctx, cancel := context.WithCancel(c.t.Context())
	cancel() // the connection's context has ended by then
	c.s.host.Unbind(ctx, c.bound)
}

// subscriptions are the kinds of presence that an account sends and not one of its sessions (RFC 6121 §3).
var subscriptions = []string{stanza.TypeSubscribe, stanza.TypeSubscribed, stanza.TypeUnsubscribe, stanza.TypeUnsubscribed}

func (c *client) sends(xml ...string) {
	c.t.Helper()
	for _, x := range xml {
		st := parse(c.t, x)
		st.From = c.jid
		if st.Kind == stanza.Presence && slices.Contains(subscriptions, st.Type) {
			st.From = c.jid.Bare()
		}
		c.s.host.Submit(c.batch, st)
		c.batch.Flush()
	}
}

func parseElement(t *testing.T, xml string) *stanza.Element {
	t.Helper()
	e, err := stanza.ParseElement(xml, stanza.NSClient)
	if err != nil {
		t.Fatalf("%s: %v", xml, err)
	}
	return e
}

func parse(t *testing.T, xml string) *stanza.Stanza {
	t.Helper()
	e := parseElement(t, xml)
	st := &stanza.Stanza{Kind: stanza.KindOf(e.Local), ID: e.Attr("id"), Type: e.Attr("type"), Lang: e.Lang()}
	for _, a := range []struct {
		name string
		to   *jid.JID
	}{{"to", &st.To}, {"from", &st.From}} {
		if v := e.Attr(a.name); v != "" {
			*a.to = jid.MustParse(v)
		}
	}
	var children []*stanza.Element
	for c := range e.Elements() {
		children = append(children, c)
	}
	st.Payload = stanza.Encode(children...)
	return st
}

// differs tells what of a pattern an element lacks.
func differs(want, got *stanza.Element) string {
	if got.Local != want.Local || got.Space != want.Space {
		return "is <" + got.Local + " xmlns=" + got.Space + ">"
	}
	for _, a := range want.Attrs {
		v, ok := got.LookupAttr(a.Space, a.Local)
		switch {
		case a.Value == "-" && !ok:
		case a.Value == "*" && ok:
		case v != a.Value || a.Value == "-":
			return a.Local + " is " + v
		}
	}
	if _, said := want.LookupAttr("", "type"); !said && got.Attr("type") != "" && stanza.KindOf(got.Local) != 0 {
		return "has type " + got.Attr("type")
	}
	if text := strings.TrimSpace(want.Text()); text != "" && text != "*" && text != got.Text() {
		return "text is " + got.Text()
	}
	left := slices.Collect(got.Elements())
	for w := range want.Elements() {
		at := slices.IndexFunc(left, func(e *stanza.Element) bool { return differs(w, e) == "" })
		if at < 0 {
			return "lacks " + w.String()
		}
		left = slices.Delete(left, at, at+1)
	}
	return ""
}

func show(list []*stanza.Stanza) string {
	var b strings.Builder
	for _, st := range list {
		b.WriteString("  " + st.String() + "\n")
	}
	return b.String()
}
