package router

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"testing"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// recorder is a session that remembers what it was given.
type recorder struct {
	jid    jid.JID
	router *Router

	mu      sync.Mutex
	got     []*stanza.Stanza
	flushes int
	closed  string
}

func (p *recorder) JID() jid.JID { return p.jid }

func (p *recorder) Deliver(st *stanza.Stanza) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got = append(p.got, st)
}

func (p *recorder) Flush() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flushes++
}

func (p *recorder) Close(condition, _ string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = condition
}

// take empties the recorder, after queued stanzas were delivered.
func (p *recorder) take() []*stanza.Stanza {
	if p.router != nil {
		_ = p.router.AwaitLookups(context.Background())
	}
	return p.soFar()
}

// soFar empties the recorder at once.
func (p *recorder) soFar() []*stanza.Stanza {
	p.mu.Lock()
	defer p.mu.Unlock()
	got := p.got
	p.got = nil
	return got
}

// accounts is the set of localparts that exist.
type accounts map[string]bool

func (a accounts) Exists(_ context.Context, account jid.JID) (bool, error) {
	if account.Local() == "broken" {
		return false, errors.New("store is away")
	}
	return a[account.Local()], nil
}

// testHost is one host with its router, and a recorder for every domain that is not served.
type testHost struct {
	t      testing.TB
	router *Router
	host   *Host
	remote *recorder
	bound  map[string]*Bound
	batch  map[string]*Batch
}

func newTestHost(t testing.TB, stages ...Stage) *testHost {
	r := New(slog.New(slog.NewTextHandler(io.Discard, nil)))
	h := NewHost(r, jid.MustParse("home.test"), HostOptions{Accounts: accounts{"romeo": true, "juliet": true, "nurse": true}})
	h.Use(Feature{Name: "test", Stages: stages})
	if err := r.Attach(h.Domain(), h); err != nil {
		t.Fatal(err)
	}
	remote := &recorder{jid: jid.MustParse("away.test"), router: r}
	r.SetRemote(remote)
	return &testHost{t, r, h, remote, map[string]*Bound{}, map[string]*Batch{}}
}

// join binds a session; priority "" leaves it connected but not available.
func (th *testHost) join(full, priority string) *recorder {
	th.t.Helper()
	p := &recorder{jid: jid.MustParse(full), router: th.router}
	th.bound[full] = th.bind(p, BindOptions{Replace: true})
	th.batch[full] = NewBatch(context.Background())
	if priority != "" {
		th.submit(full, stanza.NewPresence(jid.JID{}, p.jid, "", stanza.TextElement("", "priority", priority)))
		p.take()
	}
	return p
}

func (th *testHost) bind(s Session, c BindOptions) *Bound {
	th.t.Helper()
	port, err := th.host.Bind(context.Background(), s, c)
	if err != nil {
		th.t.Fatal(err)
	}
	return port.(*Bound)
}

// submit sends a stanza as the session does.
func (th *testHost) submit(full string, st *stanza.Stanza) {
	if st.From.IsZero() {
		st.From = jid.MustParse(full)
	}
	b := th.batch[full]
	th.bound[full].Submit(b, st)
	b.Flush()
	th.settle()
}

// settle waits until queued stanzas are delivered.
func (th *testHost) settle() { _ = th.router.AwaitLookups(context.Background()) }

// message makes a chat message without a sender.
func message(to, typ string) *stanza.Stanza {
	var j jid.JID
	if to != "" {
		j = jid.MustParse(to)
	}
	return stanza.NewMessage(j, jid.JID{}, typ, stanza.TextElement("", "body", "hi"))
}

func query(to, typ, space string) *stanza.Stanza {
	var j jid.JID
	if to != "" {
		j = jid.MustParse(to)
	}
	return stanza.NewIQ(j, jid.JID{}, typ, stanza.NewElement(space, "query"))
}

func from(st *stanza.Stanza, sender string) *stanza.Stanza {
	return st.WithFrom(jid.MustParse(sender))
}

// condition is the error of the only stanza in got, "" where there is none, "-" for another.
func condition(got []*stanza.Stanza) string {
	switch {
	case len(got) == 0:
		return ""
	case len(got) == 1 && got[0].Type == stanza.TypeError:
		return got[0].Err().Condition
	}
	return "-"
}

func TestDomains(t *testing.T) {
	t.Parallel()
	th := newTestHost(t)
	other := &recorder{jid: jid.MustParse("irc.home.test")}
	if err := th.router.Attach(other.jid, other); err != nil {
		t.Fatal(err)
	}
	if err := th.router.Attach(other.jid, other); !errors.Is(err, ErrTaken) {
		t.Errorf("attached twice: %v", err)
	}
	if err := th.router.Attach(jid.MustParse("a@b.test"), other); err == nil {
		t.Error("a bare address is no domain")
	}
	th.router.Route(from(message("#x@irc.home.test", "chat"), "romeo@home.test/a"))
	if got := other.take(); len(got) != 1 || other.flushes != 1 {
		t.Errorf("destination got %v, flushed %d times", got, other.flushes)
	}
	th.router.Route(from(message("x@away.test", "chat"), "romeo@home.test/a"))
	if got := th.remote.take(); len(got) != 1 {
		t.Errorf("remote got %v", got)
	}
	if !th.router.Serves(other.jid) || th.router.Serves(th.remote.jid) || th.router.Host(other.jid) != nil ||
		th.router.Host(jid.MustParse("x@home.test")) != th.host {
		t.Error("table answers wrongly")
	}
	th.router.Detach(other.jid)
	th.router.Route(from(message("#x@irc.home.test", "chat"), "romeo@home.test/a"))
	if got := th.remote.take(); len(got) != 1 || len(other.take()) != 0 {
		t.Errorf("after Detach remote got %v", got)
	}
}

func TestRemoteServerNotFound(t *testing.T) {
	t.Parallel()
	th := newTestHost(t)
	th.router.SetRemote(nil)
	romeo := th.join("romeo@home.test/a", "0")
	th.submit("romeo@home.test/a", message("x@away.test", "chat"))
	if c := condition(romeo.take()); c != "remote-server-not-found" { // checklist 51
		t.Errorf("got %q", c)
	}
	th.submit("romeo@home.test/a", query("x@away.test", "get", "jabber:iq:version"))
	if c := condition(romeo.take()); c != "remote-server-not-found" {
		t.Errorf("got %q", c)
	}
}

// Nothing that is answered with an error may lead to another one.
func TestNoErrorLoops(t *testing.T) {
	t.Parallel()
	th := newTestHost(t)
	th.router.SetRemote(nil)
	for _, kind := range []stanza.Kind{stanza.Message, stanza.IQ, stanza.Presence} {
		for _, typ := range []string{"error", "result", "get", "set", "chat", "groupchat", "", "subscribe", "probe", "unavailable", "no-such"} {
			for _, sender := range []string{"x@away.test/r", "away.test", "home.test", "nobody@home.test", "nobody@home.test/x"} {
				for _, to := range []string{"x@away.test", "home.test", "home.test/x", "nobody@home.test", "nobody@home.test/x", "romeo@home.test", "romeo@home.test/x"} {
					st := &stanza.Stanza{Kind: kind, Type: typ, ID: "1", From: jid.MustParse(sender), To: jid.MustParse(to)}
					th.router.Route(st) // a loop would overflow the stack
				}
			}
		}
	}
	th.router.Route(&stanza.Stanza{Kind: stanza.Message, Type: "error", To: jid.MustParse("x@away.test"), From: jid.MustParse("y@away.test")})
	before := th.router.Counters.Bounced.Load()
	th.router.Route(&stanza.Stanza{Kind: stanza.IQ, Type: "result", ID: "1", To: jid.MustParse("x@away.test"), From: jid.MustParse("y@away.test")})
	if th.router.Counters.Bounced.Load() != before { // checklist 46, 52
		t.Error("a result was answered")
	}
	th.router.Route(&stanza.Stanza{Kind: stanza.Message, To: jid.JID{}})
}

// The reader's queues are flushed once each, however much went into them.
func TestBatchFlushesOnce(t *testing.T) {
	t.Parallel()
	th := newTestHost(t)
	th.join("romeo@home.test/a", "0")
	juliet := th.join("juliet@home.test/a", "0")
	nurse := th.join("nurse@home.test/a", "0")
	juliet.flushes, nurse.flushes = 0, 0
	b, romeo := th.batch["romeo@home.test/a"], th.bound["romeo@home.test/a"]
	for range 10 {
		romeo.Submit(b, from(message("juliet@home.test/a", "chat"), "romeo@home.test/a"))
		romeo.Submit(b, from(message("nurse@home.test", "chat"), "romeo@home.test/a"))
	}
	if juliet.flushes != 0 || nurse.flushes != 0 {
		t.Error("flushed before the batch was")
	}
	b.Flush()
	b.Flush()
	if juliet.flushes != 1 || nurse.flushes != 1 || len(juliet.take()) != 10 || len(nurse.take()) != 10 {
		t.Errorf("flushed %d and %d times", juliet.flushes, nurse.flushes)
	}
	th.router.Route(from(message("juliet@home.test/a", "chat"), "romeo@home.test/a"))
	if juliet.flushes != 2 {
		t.Error("without a batch nothing was flushed")
	}
}
