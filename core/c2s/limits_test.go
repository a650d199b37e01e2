package c2s

import (
	"context"
	"io"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// checklist 112: sessions count; connections that have not logged in give way to newer ones.
func TestConnectionsFromOneAddress(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, func(c *Config) { c.Limits.Connections = 3 })
	idle := p.dial()
	idle.features("home.test")
	var open []*client
	for range 3 {
		open = append(open, p.loggedIn("romeo"))
	}
	idle.wantError("resource-constraint")
	rawstream.Eventually(t, "counted", func() bool { return p.server.Counters.TooMany.Load() == 1 })
	c := p.dial()
	c.Until("<resource-constraint ")
	if p.server.Counters.TooMany.Load() != 2 {
		t.Error("not counted")
	}
	_ = open[0].Close()
	rawstream.Eventually(t, "two left", func() bool { return p.server.Counters.Connections.Load() == 2 })
	open[0] = p.loggedIn("romeo")
	d := (&testServer{t: t, addr: p.direct}).dial()
	if got := d.Rest(); got != "" {
		t.Errorf("direct TLS answered %q", got)
	}
}

// Idle connections do not keep others out, in whatever state they are: without a byte, with half a stream header, in the middle of
// the handshake of TLS, or in the middle of a login.
func TestIdleConnectionsKeepNobodyOut(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, func(c *Config) { c.Limits.Connections = 8 })
	direct := &testServer{t: t, addr: p.direct}
	for range 20 {
		p.dial()
		p.dial().Send("<?xml version='1.0'?><stream:str")
		direct.dial().Send("\x16\x03\x01")
		c := p.dial()
		c.features("home.test")
		c.Send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
		c.Until("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
		c.Send("\x16\x03\x01")
		c, _ = p.secure("home.test")
		c.Send(auth("SCRAM-SHA-256", b64("n,,n=romeo,r=clientnonce")))
		c.Until("</challenge>")
		p.loggedIn("romeo").Close()
	}
	rawstream.Eventually(t, "the idle ones are limited", func() bool { return p.server.Counters.Connections.Load() <= 8 })
}

// checklist 112
func TestArrivalsFromOneAddress(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, func(c *Config) { c.Limits.Arrivals = 2 })
	rawstream.Eventually(t, "refused", func() bool {
		_ = p.dial()
		return p.server.Counters.TooFast.Load() > 0
	})
}

// A login of an account waits while too many wrong passwords for it have come from the address. Shutdown does not wait for it.
func TestLoginBackOff(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, func(c *Config) { c.Limits.Tries, c.Limits.AccountTries = 1200, -1 }) // an account's share is five a second
	for range 302 {
		p.server.guesses.Reserve(netip.MustParseAddr("127.0.0.1"), "romeo@home.test")
	}
	c, _ := p.secure("home.test")
	before := time.Now()
	c.Send(plainAuth("", "romeo", "pw-romeo"))
	c.Until(success)
	if took := time.Since(before); took < 50*time.Millisecond || p.server.Counters.LoginsHeld.Load() != 1 {
		t.Errorf("took %v", took)
	}
	for range 140 {
		p.server.guesses.Reserve(netip.MustParseAddr("127.0.0.1"), "romeo@home.test")
	}
	c, _ = p.secure("home.test")
	c.Send(plainAuth("", "romeo", "pw-romeo"))
	rawstream.Eventually(t, "held", func() bool { return p.server.Counters.LoginsHeld.Load() == 2 })
	before = time.Now()
	p.stop()
	if took := time.Since(before); took > 10*time.Second {
		t.Errorf("shutdown took %v", took)
	}
}

// Many connections at once guess no faster than one, whatever the mechanism, the order of the messages and the spelling of the name.
// Another account at the same address is not delayed, and is refused a wrong password only.
func TestManyGuessesAtOnce(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, func(c *Config) { c.Limits.Tries, c.Limits.AccountTries = 4, -1 }) // an account's share is one a minute
	c, _ := p.secure("home.test")
	c.Send(plainAuth("", "romeo", "wrong"))
	c.Until("<not-authorized/></failure>")
	c.Send(auth("PLAIN", ""))
	c.Until("<challenge ")
	c.Send("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" + b64("\x00romeo\x00pw-romeo") + "</response>")
	c.Until("<temporary-auth-failure/></failure>")
	c.Send("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" + b64("\x00romeo\x00pw-romeo") + "</response>")
	c.Until("<malformed-request/></failure>")
	for _, name := range []string{"romeo", "ROMEO", "Romeo", "\uFF52omeo", "ro\uFF2Deo"} {
		c, _ := p.secure("home.test")
		c.Send(plainAuth("", name, "pw-romeo"))
		c.Until("<temporary-auth-failure/></failure>")
		c.Send(plainAuth("romeo@home.test", name, "pw-romeo"))
		c.Until("<temporary-auth-failure/></failure>")
		c.Send(c.scramProof("romeo", "SCRAM-SHA-256", "n,,", ""))
		c.Until("<temporary-auth-failure/></failure>")
	}
	if n := p.server.Counters.Logins.Load(); n != 0 {
		t.Errorf("%d logins", n)
	}
	c, _ = p.secure("home.test")
	c.Send(plainAuth("", "juliet", "wrong"))
	c.Until("<not-authorized/></failure>")
	c, _ = p.secure("home.test")
	c.scram("nurse")
	if n := p.server.Counters.LoginsHeld.Load(); n != 16 {
		t.Errorf("held back %d times", n)
	}
}

// An exchange of SCRAM that is begun and not finished is no guess: it delays nobody.
func TestUnfinishedExchangesDelayNobody(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, func(c *Config) { c.Limits.Tries, c.Limits.AccountTries = 4, 4 })
	for range 10 {
		c, _ := p.secure("home.test")
		for range 5 {
			c.Send(auth("SCRAM-SHA-256", b64("n,,n=romeo,r=clientnonce")))
			c.Until("</challenge>")
		}
		c.Send("<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
		c.Until("<aborted/></failure>")
	}
	p.loggedIn("romeo")
	if n := p.server.Counters.LoginsHeld.Load(); n != 0 {
		t.Errorf("held back %d times", n)
	}
}

// A client that sends more than its share is read more slowly; nothing is lost.
func TestByteRate(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, func(c *Config) { c.Limits.Rate, c.Limits.Burst = 200_000, 20_000 })
	juliet := p.online("juliet", "a")
	romeo := p.session("romeo", "x")
	before := time.Now()
	go func() {
		for range 100 {
			romeo.Send(chatMessage("juliet@home.test/a", strings.Repeat("x", 1000)))
		}
		romeo.Send(chatMessage("juliet@home.test/a", "end"))
	}()
	got := juliet.Until("<body>end</body>")
	if n := strings.Count(got, "<message "); n != 101 {
		t.Errorf("%d arrived", n)
	}
	if took := time.Since(before); took < 300*time.Millisecond || p.server.Counters.Throttled.Load() == 0 {
		t.Errorf("took %v", took)
	}
}

// The rate holds before login too, and after it without a session: no other limit counts
// white space.
func TestByteRateBeforeLogin(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, func(c *Config) { c.Limits.Rate, c.Limits.Burst = 200_000, 20_000 })
	beforeLogin := p.dial()
	beforeLogin.features("home.test")
	secured, _ := p.secure("home.test")
	for name, c := range map[string]*client{"in clear": beforeLogin, "with TLS": secured, "logged in": p.loggedIn("romeo")} {
		throttled, before := p.server.Counters.Throttled.Load(), time.Now()
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			c.Send(strings.Repeat(" ", 100_000) + "<x xmlns='urn:example:x'/>")
		}()
		c.Until("</stream:stream>")
		<-sent
		if took := time.Since(before); took < 300*time.Millisecond || p.server.Counters.Throttled.Load() == throttled {
			t.Errorf("%s: 100 kB at 200 kB a second took %v", name, took)
		}
	}
}

// checklist 112: a session writes to a limited number of addresses a minute; further stanzas are refused and not delivered.
func TestRecipients(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, func(c *Config) { c.Limits.Recipients = 2 })
	juliet := p.online("juliet", "a")
	romeo := p.session("romeo", "x")
	refused := func(st string) bool {
		romeo.Send(st + "<iq type='get' id='ping' to='home.test'><ping xmlns='urn:xmpp:ping'/></iq>")
		got := romeo.Until("id='ping' type='error'") + romeo.Until("</iq>")
		return strings.Contains(got, "<policy-violation ") && strings.Contains(got, " id='3' type='error'")
	}
	for range 2 {
		for _, to := range []string{"juliet@home.test/a", "juliet@home.test", "nurse@home.test", "romeo@home.test/x", "home.test"} {
			if refused("<message to='" + to + "' type='headline' id='3'><body>news</body></message>") {
				t.Errorf("to %s", to)
			}
		}
	}
	for _, st := range []string{"<message to='third@home.test' id='3'/>", "<presence to='third@home.test' id='3'/>", "<presence type='subscribe' to='third@home.test' id='3'/>", "<iq type='get' to='third@home.test' id='3'><ping xmlns='urn:xmpp:ping'/></iq>"} {
		if !refused(st) {
			t.Errorf("%s was not refused", st)
		}
	}
	// No error for an error, and answers are delivered to the sender of the request.
	if refused("<message type='error' to='fourth@home.test' id='3'/><iq type='result' id='r' to='juliet@home.test/a'/>") {
		t.Error("an error is answered")
	}
	juliet.Until("id='r'")
	if n := p.server.Counters.Recipients.Load(); n != 5 {
		t.Errorf("%d were refused", n)
	}

	var r recipients
	now := time.Unix(1_700_000_000, 0)
	at := func() time.Time { return now }
	a, b := jid.MustParse("a@x"), jid.MustParse("b@x")
	if !r.allow(a, 1, at) || r.allow(b, 1, at) || !r.allow(a, 1, at) {
		t.Error("the first receiver was refused")
	}
	if now = now.Add(recipientsFor); !r.allow(b, 1, at) || r.allow(a, 1, at) {
		t.Error("a receiver was refused a minute later")
	}
}

// A client is read no further while Pace does not return; what was read before has been delivered.
func TestPace(t *testing.T) {
	t.Parallel()
	var slow atomic.Bool
	held, release := make(chan struct{}, 100), make(chan struct{})
	p := newTestServer(t, func(c *Config) {
		c.Pace = func(stop <-chan struct{}) {
			if !slow.Load() {
				return
			}
			held <- struct{}{}
			select {
			case <-release:
			case <-stop:
			}
		}
	})
	juliet := p.online("juliet", "a")
	romeo := p.session("romeo", "x")
	romeo.ping()
	slow.Store(true)
	romeo.Send(chatMessage("juliet@home.test/a", "one"))
	<-held // before it is read or after, as the reader was quick
	slow.Store(false)
	romeo.Send(chatMessage("juliet@home.test/a", "two"))
	select {
	case <-held:
		t.Error("the server read more while Pace blocked")
	default:
	}
	close(release)
	juliet.Until("<body>one</body>")
	juliet.Until("<body>two</body>")
}

// CVE-2010-0305: a client that does not read is disconnected, and others are not affected.
func TestCVE_2010_0305_SlowReader(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, func(c *Config) { c.Limits.Queue, c.Limits.Rate = 100_000, -1 })
	p.online("juliet", "a") // reads nothing any more
	romeo, nurse := p.session("romeo", "x"), p.session("nurse", "x")
	body := strings.Repeat("x", 50_000)
	rawstream.Eventually(t, "disconnected", func() bool {
		romeo.Send(chatMessage("juliet@home.test/a", body))
		nurse.ping()
		return p.server.Counters.Slow.Load() == 1
	})
	rawstream.Eventually(t, "unbound", func() bool { return len(p.host.Local(jidOf("juliet@home.test")).Sessions()) == 0 })
	// What was sent to it afterwards is routed as without it: returned.
	romeo.Until("service-unavailable")
}

// A client may ask for more than its queue holds; it gets all as fast as it reads, and
// no other client waits.
func TestOwnAnswersWait(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, func(c *Config) { c.Limits.Queue, c.Limits.Rate = 20_000, -1 })
	const n = 100
	handle(p.host, "urn:archive", func(_ context.Context, q *router.IQ) (*stanza.Element, error) {
		q.Route(stanza.NewMessage(jidOf("juliet@home.test/a"), q.Stanza.From, "chat", stanza.TextElement("", "body", "first")))
		for range n {
			q.Deliver(q.Session, stanza.NewMessage(q.Stanza.From, jidOf("home.test"), "",
				stanza.TextElement("", "body", strings.Repeat("x", 8_000))))
		}
		return nil, nil
	})
	juliet := p.online("juliet", "a")
	romeo := p.session("romeo", "x")
	romeo.Send("<iq type='set' id='page'><q xmlns='urn:archive'/></iq>")
	juliet.Until("first")
	if got := romeo.Until("id='page'"); strings.Count(got, "<message ") != n {
		t.Errorf("%d arrived", strings.Count(got, "<message "))
	}
	if p.server.Counters.Slow.Load() != 0 {
		t.Error("disconnected")
	}
	// One that asks and never reads is not answered forever, and does not delay shutdown.
	romeo.Send(strings.Repeat("<iq type='set' id='page'><q xmlns='urn:archive'/></iq>", 5))
	juliet.Until("first")
}

// CVE-2026-43506: connections that open and close without a byte leave no
// goroutine, no timer and no memory.
func TestCVE_2026_43506_ConnectAndClose(t *testing.T) {
	const cycles = 3000
	p := newTestServer(t, nil)
	come := uint64(0)
	connectAndClose := func(n int) {
		come += uint64(n)
		for i := range n {
			conn, err := net.Dial("tcp", p.addr)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(conn, []string{"", "<?xml version='1.0'?><stream:str", open("home.test"), open("home.test") + "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>\x16\x03\x01"}[i%4])
			_ = conn.Close()
		}
		rawstream.Eventually(t, "all gone", func() bool {
			return p.server.Counters.Accepted.Load() == come && p.server.Counters.Connections.Load() == 0
		})
	}
	used := func() uint64 {
		runtime.GC()
		runtime.GC() // pools are emptied at the second
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	connectAndClose(300) // fills the pools
	before, goroutines := used(), runtime.NumGoroutine()
	connectAndClose(cycles)
	rawstream.Eventually(t, "no goroutine left", func() bool { return runtime.NumGoroutine() <= goroutines })
	if after := used(); after > before+cycles*100 {
		t.Errorf("%d bytes are left of each", (after-before)/cycles)
	}
	rawstream.Eventually(t, "no connection is remembered", func() bool { return p.server.conns.Len() == 0 })
}

// Sessions whose queues are full do not pass stanzas to each other forever.
func TestFullSessions(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, nil)
	for _, resource := range []string{"a", "b"} {
		s := &session{server: p.server, host: p.server.first, jid: jidOf("juliet@home.test/" + resource)}
		b, err := p.host.Bind(t.Context(), s, router.BindOptions{})
		if err != nil {
			t.Fatal(err)
		}
		s.port = b
		b.(*router.Bound).SetPresence(&router.Presence{})
	}
	romeo := p.session("romeo", "x")
	var sending sync.WaitGroup
	sending.Go(func() {
		for range maxWaiting + 1 {
			romeo.Send(chatMessage("juliet@home.test/a", "x") + chatMessage("juliet@home.test", "x"))
		}
	})
	romeo.Until("service-unavailable")
	sending.Wait()
}

// A session without a connection keeps no more bytes than a connection's queue would.
func TestWaitingBytes(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, func(c *Config) { c.Limits.Queue = 100_000 })
	s := &session{server: p.server, host: p.server.first, jid: jidOf("juliet@home.test/a")}
	b, err := p.host.Bind(t.Context(), s, router.BindOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s.port = b
	b.(*router.Bound).SetPresence(&router.Presence{})
	romeo := p.session("romeo", "x")
	for range 20 {
		romeo.Send(chatMessage("juliet@home.test/a", strings.Repeat("x", 10_000)))
	}
	romeo.Until("service-unavailable")
	romeo.ping()
	s.mu.Lock()
	n := len(s.waiting)
	s.mu.Unlock()
	if n != 9 {
		t.Errorf("%d are kept", n)
	}
}

func TestConfigChecks(t *testing.T) {
	t.Parallel()
	good := newTestServer(t, nil).server.cfg
	for name, spoil := range map[string]func(*Config){
		"no host":        func(c *Config) { c.Hosts = nil },
		"host twice":     func(c *Config) { c.Hosts = append(c.Hosts[:1:1], c.Hosts[0]) },
		"no SASL":        func(c *Config) { c.Hosts = []Host{{Router: c.Hosts[0].Router}} },
		"no certificate": func(c *Config) { c.Certificates = nil },
		"small stanzas":  func(c *Config) { c.Limits.Stanza.Bytes = 9999 }, // checklist 11
	} {
		c := good
		spoil(&c)
		if _, err := NewServer(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// SetLimits holds for what is counted over connections at once.
func TestSetLimits(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, func(c *Config) { c.Limits.Connections = 1 })
	first := p.loggedIn("romeo")
	p.dial().Until("<resource-constraint ")
	p.server.SetLimits(Limits{Connections: 2, Arrivals: -1, LoginLimits: LoginLimits{Tries: -1, AccountTries: -1}})
	p.loggedIn("romeo")
	p.server.SetLimits(Limits{Connections: 1, Arrivals: -1, LoginLimits: LoginLimits{Tries: -1, AccountTries: -1}})
	p.dial().Until("<resource-constraint ")
	first.ping()
}
