package c2s

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/resumption"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

const enableResume = "<enable xmlns='urn:xmpp:sm:3' resume='true'/>"

var enabledID = regexp.MustCompile(` id='([^']+)'`)

// enable enables stream management and returns the id of the session.
func (c *client) enable() string {
	c.T.Helper()
	c.Send(enableResume)
	got := c.Until("/>")
	c.T.Helper()
	if !strings.Contains(got, "<enabled xmlns='urn:xmpp:sm:3'") || !strings.Contains(got, "resume='true'") {
		c.T.Fatalf("enabled: %q", got)
	}
	return enabledID.FindStringSubmatch(got)[1]
}

func resume(id string, h int) string {
	return fmt.Sprintf("<resume xmlns='urn:xmpp:sm:3' previd='%s' h='%d'/>", id, h)
}

func ack(h int) string { return fmt.Sprintf("<a xmlns='urn:xmpp:sm:3' h='%d'/>", h) }

const ask = "<r xmlns='urn:xmpp:sm:3'/>"

// resumes logs in and resumes a session; it returns what the server sent up to the end of resumed.
func (p *testServer) resumes(user, id string, h int) (*client, string) {
	p.t.Helper()
	c := p.loggedIn(user)
	c.Send(resume(id, h))
	return c, c.Until("/>")
}

// cut breaks a connection, and waits until the server has noticed.
func (p *testServer) cut(c *client) {
	p.t.Helper()
	before := p.server.Counters.Detached.Load()
	_ = c.Close()
	rawstream.Eventually(p.t, "the session has no connection", func() bool { return p.server.Counters.Detached.Load() > before })
}

func TestManagementBeforeBinding(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	c, _ := p.secure("home.test")
	c.Send("<enable xmlns='urn:xmpp:sm:3'/>") // before login
	c.Until("<failed xmlns='urn:xmpp:sm:3'><unexpected-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>")
	c.Send(plainAuth("", "romeo", "pw-romeo"))
	c.Until(success)
	if got := c.features("home.test"); !strings.Contains(got, "<sm xmlns='urn:xmpp:sm:3'/>") || !strings.Contains(got, "<csi xmlns='urn:xmpp:csi:0'/>") {
		t.Errorf("features %q", got)
	}
	c.Send("<enable xmlns='urn:xmpp:sm:3'/>")
	c.Until("<unexpected-request ")
	for condition, request := range map[string]string{
		"item-not-found": resume("ABCDEFGHIJKLMNOP.AAAAAAAAAAAAAAAAAAAAAAAAAA", 0),
		"bad-request":    "<resume xmlns='urn:xmpp:sm:3' previd='x'/>",
	} {
		c.Send(request)
		c.Until("<failed xmlns='urn:xmpp:sm:3'><" + condition + " ")
	}
	c.Send(bindIQ("x")) // it may bind after all of these (XEP-0198 §5)
	c.Until("</iq>")
	c.Send(ask)
	c.Until("<unexpected-request ")
}

func TestEnable(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, func(c *Config) { c.Location = "node1.home.test:5222" })
	for request, want := range map[string]string{
		"<enable xmlns='urn:xmpp:sm:3'/>":                          `<enabled xmlns='urn:xmpp:sm:3'/>`,
		"<enable xmlns='urn:xmpp:sm:3' resume='0' max='5'/>":       `<enabled xmlns='urn:xmpp:sm:3'/>`,
		"<enable xmlns='urn:xmpp:sm:3' resume='1' max='30'/>":      ` resume='true' max='30' location='node1.home.test:5222'/>`,
		"<enable xmlns='urn:xmpp:sm:3' resume='true' max='9999'/>": ` resume='true' max='600' location='node1.home.test:5222'/>`,
		"<enable xmlns='urn:xmpp:sm:3' resume='perhaps'/>":         `<failed xmlns='urn:xmpp:sm:3'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>`,
		"<enable xmlns='urn:xmpp:sm:3' resume='1' max='long'/>":    `<bad-request `,
	} {
		c := p.session("romeo", "x")
		c.Send(request)
		c.Until(want)
		c.Send("</stream:stream>")
		c.Until("</stream:stream>")
	}
	c := p.session("romeo", "x")
	c.enable()
	c.Send("<enable xmlns='urn:xmpp:sm:3'/>") // XEP-0198 §3: at most one
	c.Until("<failed xmlns='urn:xmpp:sm:3'><unexpected-request ")
	c.wantError("policy-violation")
}

// Both sides count stanzas, and nothing else.
func TestCounts(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	juliet, romeo := p.session("juliet", "balcony"), p.session("romeo", "orchard")
	romeo.enable()
	romeo.Send(ask)
	romeo.Until("<a xmlns='urn:xmpp:sm:3' h='0'/>")
	romeo.Send("<presence/>" + chatMessage("juliet@home.test/balcony", "1") + " " + ack(0) + ask)
	romeo.Until("<a xmlns='urn:xmpp:sm:3' h='2'/>")
	for i := range 10 {
		juliet.Send(chatMessage("romeo@home.test/orchard", fmt.Sprint("to you ", i)))
	}
	romeo.Until("to you 9</body></message><r xmlns='urn:xmpp:sm:3'/>")
	romeo.Send(ack(10))
	romeo.ping() // the answer is the eleventh
	romeo.Send(ack(12))
	if got := romeo.Rest(); !strings.Contains(got, "<undefined-condition xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>") ||
		!strings.Contains(got, "<handled-count-too-high xmlns='urn:xmpp:sm:3' h='12' send-count='11'/>") {
		t.Errorf("got %q", got)
	}
}

// A request for an acknowledgement comes although fewer stanzas than ten were sent.
func TestAsksForFewStanzas(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	romeo := p.session("romeo", "orchard")
	romeo.enable()
	romeo.ping()
	romeo.Until(ask)
}

func TestResume(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	juliet, romeo := p.session("juliet", "balcony"), p.session("romeo", "orchard")
	id := romeo.enable()
	romeo.Send(chatMessage("juliet@home.test/balcony", "from romeo"))
	juliet.Until("from romeo")
	juliet.Send(chatMessage("romeo@home.test/orchard", "read"))
	romeo.Until("read")
	juliet.Send(chatMessage("romeo@home.test/orchard", "lost"))
	romeo.Until("lost")
	p.cut(romeo)
	juliet.Send(chatMessage("romeo@home.test/orchard", "while away"))
	juliet.ping()
	romeo, got := p.resumes("romeo", id, 1)
	if want := "<resumed xmlns='urn:xmpp:sm:3' previd='" + id + "' h='1'/>"; !strings.HasSuffix(got, want) {
		t.Fatalf("resumed: %q", got)
	}
	got = romeo.Until("while away</body>")
	if strings.Contains(got, "read") || strings.Count(got, "lost</body>") != 1 {
		t.Errorf("sent again: %q", got)
	}
	romeo.Send(ack(3) + chatMessage("juliet@home.test/balcony", "back") + ask)
	romeo.Until("<a xmlns='urn:xmpp:sm:3' h='2'/>")
	juliet.Until("back")
	if n := p.server.Counters.Detached.Load(); n != 0 {
		t.Errorf("%d sessions are said to have no connection", n)
	}
}

// The connection that is still open is replaced (XEP-0198 §5).
func TestResumeReplacesConnection(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	first := p.session("romeo", "orchard")
	id := first.enable()
	for range 3 {
		next, got := p.resumes("romeo", id, 0)
		if !strings.Contains(got, "<resumed ") {
			t.Fatalf("resumed: %q", got)
		}
		first.wantError("conflict")
		first = next
	}
	first.ping()
}

// "SM resume class": a session is resumed by its own account only, with its id, and by one connection.
func TestResumeRefused(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	romeo := p.session("romeo", "orchard")
	id := romeo.enable()
	p.cut(romeo)
	for name, c := range map[string]struct{ user, id string }{
		"another account":   {"juliet", id},
		"a guess":           {"romeo", id[:len(id)-1] + "."},
		"another secret":    {"romeo", id[:strings.Index(id, ".")+1] + "AAAAAAAAAAAAAAAAAAAAAAAAAA"},
		"the name alone":    {"romeo", id[:strings.Index(id, ".")]},
		"something else":    {"romeo", "1"},
		"a very long one":   {"romeo", strings.Repeat("x", 3000)},
		"something escaped": {"romeo", "&lt;&apos;."},
	} {
		if _, got := p.resumes(c.user, c.id, 0); !strings.Contains(got, "<failed xmlns='urn:xmpp:sm:3'><item-not-found ") {
			t.Errorf("%s: %q", name, got)
		}
	}
	if _, got := p.resumes("romeo", id, 7); !strings.Contains(got, "<stream:error>") { // more than was sent
		t.Errorf("h too high: %q", got)
	}
	if _, got := p.resumes("romeo", id, 0); !strings.Contains(got, "<resumed ") {
		t.Errorf("the session is lost: %q", got)
	}
}

// Several connections resume one session at the same moment: each gets an answer, and one has the session in the end.
func TestResumeRace(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	romeo := p.session("romeo", "orchard")
	id := romeo.enable()
	p.cut(romeo)
	const n = 8
	var clients []*client
	for range n {
		clients = append(clients, p.loggedIn("romeo"))
	}
	for _, c := range clients {
		c.Send(resume(id, 0))
	}
	for _, c := range clients {
		c.Until("<resumed ")
	}
	rawstream.Eventually(t, "one connection is left", func() bool { return p.server.Counters.Connections.Load() == 1 })
	alive := 0
	for _, c := range clients {
		c.Send("<iq type='get' id='sync'><nobody xmlns='urn:handles:this'/></iq></stream:stream>")
		if got, _ := c.Remains(); strings.Contains(got, "id='sync'") {
			alive++
		} else if !strings.Contains(got, "<conflict ") {
			t.Errorf("got %q", got)
		}
	}
	if alive != 1 {
		t.Errorf("%d connections have the session", alive)
	}
}

// A session ends for others only when the time to resume it is over; then messages are answered as without it.
func TestExpires(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	juliet, romeo := p.session("juliet", "balcony"), p.session("romeo", "orchard")
	id := romeo.enable()
	romeo.Send("<presence/>")
	romeo.ping()
	p.cut(romeo)
	juliet.Send(chatMessage("romeo@home.test/orchard", "held"))
	juliet.ping()
	p.server.Expire(context.Background(), time.Now().Add(9*time.Minute))
	if b := p.host.Local(jid.MustParse("romeo@home.test")).Session(jid.MustParse("romeo@home.test/orchard")); b == nil || b.Presence() == nil || b.Reach() != router.Detached {
		t.Errorf("the session is not there any more: %v", b)
	}
	p.server.Expire(context.Background(), time.Now().Add(11*time.Minute))
	juliet.Until("type='error'") // nothing stores messages here
	if _, got := p.resumes("romeo", id, 0); !strings.Contains(got, "<failed xmlns='urn:xmpp:sm:3' h='2'><item-not-found ") {
		t.Errorf("resumed: %q", got)
	}
	if p.server.Counters.Expired.Load() != 1 || p.server.Counters.Detached.Load() != 0 || p.server.sessions.count() != 0 {
		t.Errorf("counted %d, %d", p.server.Counters.Expired.Load(), p.server.Counters.Detached.Load())
	}
}

// What ends a session for good: the client's goodbye, a new session with its resource, the end of all sessions of the account.
func TestNotResumable(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	account := jid.MustParse("romeo@home.test")
	for name, end := range map[string]func(c *client){
		"closed by the client": func(c *client) { c.Send("</stream:stream>"); c.Until("</stream:stream>") },
		"broken XML":           func(c *client) { c.Send("<<"); c.wantError("not-well-formed") },
		"same resource":        func(c *client) { p.cut(c); p.session("romeo", "orchard") },
		"new password":         func(c *client) { p.cut(c); p.host.EndSessions(account, nil, "reset", "") },
		"connected, new password": func(c *client) {
			p.host.EndSessions(account, nil, "reset", "")
			c.wantError("reset")
		},
	} {
		c := p.session("romeo", "orchard")
		id := c.enable()
		end(c)
		if _, got := p.resumes("romeo", id, 0); !strings.Contains(got, "<item-not-found ") {
			t.Errorf("%s: %q", name, got)
		}
		p.host.EndSessions(account, nil, "reset", "")
	}
	if n := p.server.sessions.count(); n != 0 {
		t.Errorf("%d sessions are left", n)
	}
}

// A client that never acknowledges, and one that is away for long, hold a bounded number of stanzas.
func TestUnackedBounded(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, func(c *Config) { c.Limits.Unacked = 20 })
	juliet, romeo := p.session("juliet", "balcony"), p.session("romeo", "orchard")
	id := romeo.enable()
	for i := range 100 {
		juliet.Send(chatMessage("romeo@home.test/orchard", fmt.Sprint(i)))
	}
	romeo.wantError("policy-violation")
	juliet.Until("type='error'")
	if _, got := p.resumes("romeo", id, 0); !strings.Contains(got, "<item-not-found ") {
		t.Errorf("resumed: %q", got)
	}
	romeo = p.session("romeo", "garden")
	romeo.enable()
	p.cut(romeo)
	for i := range 30 {
		juliet.Send(chatMessage("romeo@home.test/garden", fmt.Sprint(i)))
	}
	juliet.ping()
	p.server.Expire(context.Background(), time.Now())
	if n := p.server.sessions.count(); n != 0 || p.server.Counters.Unacked.Load() != 2 {
		t.Errorf("%d sessions are left, %d counted", n, p.server.Counters.Unacked.Load())
	}
}

// An account has a bounded number of sessions without a connection, and they do not keep it from logging in.
func TestDetachedBounded(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, func(c *Config) { c.Limits.Detached, c.Limits.Sessions = 3, 5 })
	var ids []string
	for i := range 5 {
		c := p.session("romeo", fmt.Sprint("r", i))
		ids = append(ids, c.enable())
		_ = c.Close()
		rawstream.Eventually(t, "left", func() bool {
			return p.server.sessions.count() == min(i+1, 3) && p.server.Counters.Connections.Load() == 0
		})
	}
	for i := range 5 {
		p.session("romeo", fmt.Sprint("live", i))
	}
	if n := p.server.sessions.count(); n != 0 {
		t.Errorf("%d sessions are left", n)
	}
	if _, got := p.resumes("romeo", ids[4], 0); !strings.Contains(got, "<item-not-found ") {
		t.Errorf("resumed: %q", got)
	}
}

// Requests that come together get one answer, and each of them costs nothing else.
func TestRequestFlood(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, func(c *Config) { c.Limits.Rate = -1 })
	romeo := p.session("romeo", "orchard")
	romeo.enable()
	romeo.Send(strings.Repeat(ask, 5000))
	romeo.ping()
	romeo.Send(ask)
	romeo.Until("<a xmlns='urn:xmpp:sm:3' h='1'/>")
	romeo.Send("<a xmlns='urn:xmpp:sm:3' h='4294967296'/>")
	romeo.wantError("bad-format")
}

// One round trip to a bound session that can be resumed, and one to the resumed session (XEP-0198 §9).
func TestManagementInline(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	juliet := p.session("juliet", "balcony")
	c, _ := p.secure("home.test")
	c.Send(plain2("romeo", agent(agentID), bind2("Phone", enableResume, inactive)) + "<presence/>" + ask)
	got, who := c.success2()
	if !strings.Contains(got, "<bound xmlns='urn:xmpp:bind:0'><enabled xmlns='urn:xmpp:sm:3' id='") {
		t.Fatalf("got %q", got)
	}
	_, got, _ = strings.Cut(got, "<enabled ")
	id := enabledID.FindStringSubmatch(" " + got)[1]
	c.Until("<a xmlns='urn:xmpp:sm:3' h='1'/>")
	if p.server.Counters.Inactive.Load() != 1 {
		t.Error("the client is not inactive")
	}
	p.cut(c)
	juliet.Send(chatMessage(who, "while away"))
	juliet.ping()
	c = p.dial()
	c.features("home.test")
	c.startTLS()
	c.Send(open("home.test") + plain2("romeo", agent(agentID), resume(id, 0), bind2("Phone")) + ask)
	got, again := c.success2()
	if want := "<resumed xmlns='urn:xmpp:sm:3' previd='" + id + "' h='1'/></success>"; !strings.HasSuffix(got, want) || again != who {
		t.Fatalf("got %q", got)
	}
	if got := c.Until("<a xmlns='urn:xmpp:sm:3' h='1'/>"); strings.Count(got, "while away") != 1 {
		t.Errorf("got %q", got)
	}
	c.Send(ack(1))
	c.ping()

	next, _ := p.secure("home.test")
	next.Send(plain2("romeo", agent(agentID), resume("ABCDEFGHIJKLMNOP.AAAAAAAAAAAAAAAAAAAAAAAAAA", 0), bind2("Phone", "<enable xmlns='urn:xmpp:sm:3'/>")))
	if got, _ := next.success2(); !strings.Contains(got, "<failed xmlns='urn:xmpp:sm:3'><item-not-found ") || !strings.Contains(got, "<enabled xmlns='urn:xmpp:sm:3'/></bound>") {
		t.Errorf("got %q", got)
	}
	next.ping()
	other, _ := p.secure("home.test")
	other.Send(plain2("juliet", resume(id, 0)))
	if got, _ := other.success2(); !strings.Contains(got, "<item-not-found ") {
		t.Errorf("got %q", got)
	}
	other.Send(bindIQ("x")) // it may bind
	other.Until("<jid>juliet@home.test/x</jid>")
}

// What exceeds the limits on a connection ends the session when that is lost.
func TestDetachedOverLimits(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, func(c *Config) { c.Limits.Unacked = 20 })
	juliet, romeo := p.session("juliet", "balcony"), p.session("romeo", "orchard")
	romeo.enable()
	for i := range 30 {
		juliet.Send(chatMessage("romeo@home.test/orchard", fmt.Sprint(i)))
	}
	juliet.ping()
	p.cut(romeo)
	p.server.Expire(context.Background(), time.Now())
	if n := p.server.sessions.count(); n != 0 || p.server.Counters.Unacked.Load() != 1 {
		t.Errorf("%d sessions are left, %d counted", n, p.server.Counters.Unacked.Load())
	}
}

// suspending is an archive that calls during while a session is stored.
type suspending struct {
	resumption.Archive
	during func()
	stored atomic.Int32
}

func (a *suspending) Suspend(context.Context, resumption.Saved, []resumption.Stanza) error {
	a.stored.Add(1)
	a.during()
	return nil
}

func (a *suspending) SuspendedBefore(context.Context, time.Time, int) ([]resumption.Saved, error) {
	return nil, nil
}

// A session whose time is over while the server stores it is not ended a second time, and one that has ended is not stored.
func TestExpiresWhileSuspended(t *testing.T) {
	t.Parallel()
	a := &suspending{}
	p := newTestServer(t, func(c *Config) { c.Archive = a })
	late := time.Now().Add(24 * time.Hour)
	a.during = func() { p.server.Expire(context.Background(), late) }
	romeo := p.session("romeo", "orchard")
	romeo.enable()
	p.cut(romeo)
	m := p.server.sessions.all()[0]
	p.server.suspendDetached(context.Background())
	k := &p.server.Counters
	if n := k.Sessions.Load(); a.stored.Load() != 1 || n != 0 || k.Detached.Load() != 1 {
		t.Errorf("stored %d times, %d sessions, %d detached", a.stored.Load(), n, k.Detached.Load())
	}
	m.session.suspend(func() {})
	m.session.Close("reset", "")
	if n := k.Sessions.Load(); a.stored.Load() != 1 || n != 0 {
		t.Errorf("again: stored %d times, %d sessions", a.stored.Load(), n)
	}
}

// Access of a client that is withdrawn between its login and its request to resume the session of another.
func TestResumedByRevokedClient(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	romeo := p.session("romeo", "orchard")
	id := romeo.enable()
	p.cut(romeo)
	c, _ := p.secure("home.test")
	c.Send(plain2("romeo", agent(agentID)))
	c.success2()
	c.Until("</stream:features>")
	p.host.EndClient(jid.MustParse("romeo@home.test"), agentID, "not-authorized", "")
	c.Send(resume(id, 0))
	c.wantError("not-authorized")
}

// A delivery that has loaded the connection before the session left it counts its stanza once, and not on the dead connection.
func TestLateDelivery(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	romeo := p.session("romeo", "orchard")
	romeo.enable()
	full := jid.MustParse("romeo@home.test/orchard")
	s := p.host.Local(full.Bare()).Session(full).Session().(*session)
	old := s.conn.Load()
	if !s.detach(stream.ErrSilent) {
		t.Fatal("not detached")
	}
	st := stanza.NewMessage(full, jid.JID{}, "chat")
	if old.Send(st) {
		t.Error("the connection takes a stanza")
	}
	s.Deliver(st)
	if n := len(s.management.Load().out.Stanzas()); n != 1 {
		t.Errorf("%d stanzas are unacknowledged", n)
	}
}

// count returns the number of sessions without a connection.
func (r *resumables) count() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, of := range r.detached {
		n += len(of)
	}
	return n
}
