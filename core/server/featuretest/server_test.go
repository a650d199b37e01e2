package featuretest

import (
	"context"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/notification"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/server"
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

// settings of the server; tests change what they are about.
const settings = `
[server]
hosts = ["example.org"]
register = true
contacts = ["mailto:admin@example.org"]
[limits]
stranger_messages = 0
stranger_senders = 0
stranger_receivers = 0
[listen]
c2s = []
c2s_tls = []
component = []
http = []
http_tls = []
[[component]]
domain = "gw.example.org"
secret = "between us"
privileges = ["roster", "message"]
no_roster_pushes = true
[[component]]
domain = "notify.example.org"
secret = "between us"
privileges = ["message"]
`

// testServer is a running server without listeners. Sessions and domains are attached to its
// router by the tests.
type testServer struct {
	t       testing.TB
	store   *store.Store
	router  *router.Router
	host    *router.Host
	stop    func()
	counts  func() []server.Count
	reload  func(change func(*config.Config))
	rooms   *notification.Notifier
	version uint64 // of the members of a room
	gateway *entity
	remote  *entity
}

func start(t testing.TB, accounts ...string) *testServer {
	t.Helper()
	return startWith(t, func(*config.Config) {}, accounts...)
}

// startAt is start with the database of an earlier server, which has to be stopped.
func startAt(t testing.TB, url string, accounts ...string) *testServer {
	t.Helper()
	return startWith(t, func(c *config.Config) { c.Store.URL = url }, accounts...)
}

func startWith(t testing.TB, change func(*config.Config), accounts ...string) *testServer {
	t.Helper()
	c, err := config.Parse([]byte(settings), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Server.Data, c.Store.URL, c.Login.Iterations = t.TempDir(), "", 1
	change(&c)
	if c.Store.URL == "" {
		c.Store.URL = storetest.URL(t)
	}
	running, err := server.New(t.Context(), c, server.Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	s := &testServer{t: t, store: running.Store(), router: running.Router(), counts: running.Counts, rooms: running.Notifier()}
	s.reload = func(change func(*config.Config)) {
		t.Helper()
		change(&c)
		if err := running.Reload(c); err != nil {
			t.Fatal(err)
		}
	}
	s.host = s.router.Host(domain)
	s.gateway, s.remote = &entity{t: t, s: s}, &entity{t: t, s: s}
	s.attach(gateway, s.gateway)
	s.router.SetRemote(s.remote)
	for _, a := range accounts {
		s.create(a)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- running.Run(ctx) }()
	s.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(s.stop)
	return s
}

// create creates an account.
func (s *testServer) create(name string) {
	s.t.Helper()
	if err := s.store.CreateAccount(s.t.Context(), jid.MustParse(name+"@example.org"), sasl.Credentials{}); err != nil {
		s.t.Fatal(err)
	}
}

// attach gives a configured component's domain to an entity.
func (s *testServer) attach(domain jid.JID, e *entity) {
	s.t.Helper()
	s.router.Detach(domain)
	if err := s.router.Attach(domain, e); err != nil {
		s.t.Fatal(err)
	}
}

// beforeLogin sends an IQ of a connection that has not logged in, and returns the answer.
func (s *testServer) beforeLogin(from string, iq *stanza.Stanza) *stanza.Stanza {
	s.t.Helper()
	for _, f := range s.host.Features() {
		if f.BeforeLogin != nil && f.BeforeLogin.Answer != nil {
			return f.BeforeLogin.Answer(s.t.Context(), &router.Unauthenticated{Address: netip.MustParseAddr(from)}, iq)
		}
	}
	s.t.Fatal("nothing is offered before login")
	return nil
}

// settle waits until all that was handed to the store is written.
func (s *testServer) settle() {
	s.t.Helper()
	if _, err := s.store.OfflineMessages(s.t.Context(), domain, 0, 1); err != nil {
		s.t.Fatal(err)
	}
}

// awaitLookups waits until the stanzas for accounts that are being looked up are delivered, so that answers come in the
// order of the requests.
func (s *testServer) awaitLookups() {
	s.t.Helper()
	if err := s.router.AwaitLookups(context.Background()); err != nil {
		s.t.Error(err)
	}
}

// entity records what it gets: a domain that is not ours, or a component.
type entity struct {
	t   testing.TB
	s   *testServer
	mu  sync.Mutex
	got []*stanza.Stanza
}

func (e *entity) Deliver(st *stanza.Stanza) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.got = append(e.got, st)
}

func (e *entity) Flush() {}

// sends routes stanzas with the from that they name, one after the other.
func (e *entity) sends(xml ...string) {
	e.t.Helper()
	for _, x := range xml {
		e.s.router.Route(parse(e.t, x))
		e.s.awaitLookups()
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
	jid   jid.JID
	batch *router.Batch
	port  router.Port
	reach router.Reach

	closing sync.Mutex
	closed  string
}

func (c *client) JID() jid.JID { return c.jid }

// Reach says how the client can be reached.
func (c *client) Reach() router.Reach { return c.reach }

func (c *client) Close(condition, _ string) {
	c.closing.Lock()
	defer c.closing.Unlock()
	c.closed = condition
}

// ended is the condition that the session was closed with.
func (c *client) ended() string {
	c.closing.Lock()
	defer c.closing.Unlock()
	return c.closed
}

// login binds a session, which is not available yet.
func (s *testServer) login(full string) *client {
	s.t.Helper()
	c := &client{entity: entity{t: s.t, s: s}, jid: jid.MustParse(full), batch: router.NewBatch(s.t.Context())}
	port, err := s.host.Bind(s.t.Context(), c, router.BindOptions{Replace: true})
	if err != nil {
		s.t.Fatal(err)
	}
	c.port = port
	return c
}

// online is login, the roster and presence; what that brings is thrown away.
func (s *testServer) online(full string) *client {
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
	c.port.Unbind(ctx)
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
		c.port.Submit(c.batch, st)
		c.batch.Flush()
		c.s.awaitLookups()
	}
}

func parseElement(t testing.TB, xml string) *stanza.Element {
	t.Helper()
	e, err := stanza.ParseElement(xml, stanza.NSClient)
	if err != nil {
		t.Fatalf("%s: %v", xml, err)
	}
	return e
}

func parse(t testing.TB, xml string) *stanza.Stanza {
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
	if _, given := want.LookupAttr("", "type"); !given && got.Attr("type") != "" && stanza.KindOf(got.Local) != 0 {
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
