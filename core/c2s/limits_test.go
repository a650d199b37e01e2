package c2s

import (
	"context"
	"encoding/base64"
	"io"
	"net"
	"net/netip"
	"runtime"
	"strconv"
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

// checklist 112
func TestConnectionsFromOneAddress(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, func(c *Config) { c.Limits.Connections = 3 })
	var open []*client
	for range 3 {
		c := p.dial()
		c.features("home.test")
		open = append(open, c)
	}
	c := p.dial()
	c.Until("<resource-constraint ")
	if p.server.Counters.TooMany.Load() != 1 {
		t.Error("not counted")
	}
	_ = open[0].Close()
	rawstream.Eventually(t, "one left", func() bool { return p.server.Counters.Connections.Load() == 2 })
	p.dial().features("home.test")
	d := (&testServer{t: t, addr: p.direct}).dial()
	if got := d.Rest(); got != "" {
		t.Errorf("direct TLS answered %q", got)
	}
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

func TestGate(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	g := newAddressLimiter(Limits{Connections: 2, Arrivals: 10, Tries: 6})
	g.now = func() time.Time { return now }
	a, sameNet, b := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::ffff:1"), netip.MustParseAddr("192.0.2.1")
	if g.connect(a) != accepted || g.connect(sameNet) != accepted || g.connect(a) != tooMany || g.connect(b) != accepted {
		t.Error("a /64 does not count as one")
	}
	g.disconnect(sameNet)
	if g.connect(a) != accepted {
		t.Error("disconnect does not reduce the number of connections")
	}
	if g.delay(b, "romeo") != 0 {
		t.Error("delay without failures")
	}
	g.failed(b, "romeo")
	if d := g.delay(b, "romeo"); d != longestDelay {
		t.Errorf("delay %v: one of four is one a minute", d)
	}
	if d := g.delay(b, "juliet"); d != 0 {
		t.Errorf("another user has to wait %v", d)
	}
	for i := range 5 {
		g.failed(b, string(rune('a'+i)))
	}
	if d := g.delay(b, "juliet"); d != 10*time.Second {
		t.Errorf("delay %v after six failures", d)
	}
	for i := range 2 * maxTried {
		g.failed(b, "user"+strconv.Itoa(i))
	}
	if d, n := g.delay(b, "juliet"), len(g.addresses[network(b)].tried); d != longestDelay || n > maxTried {
		t.Errorf("delay %v after many failures, %d names kept", d, n)
	}
	if g.delay(a, "romeo") != 0 {
		t.Error("another address has to wait")
	}
	g.disconnect(b)
	now = now.Add(2 * time.Minute)
	g.connect(netip.MustParseAddr("192.0.2.2"))
	if d := g.delay(b, "juliet"); d == 0 {
		t.Error("failures are forgotten too soon")
	}
	now = now.Add(time.Hour)
	g.connect(netip.MustParseAddr("192.0.2.3"))
	if _, kept := g.addresses[network(b)]; kept {
		t.Error("an idle address is kept for ever")
	}
	if _, kept := g.addresses[network(a)]; !kept {
		t.Error("an address with connections was forgotten")
	}
	if g.connect(netip.Addr{}) != accepted {
		t.Error("a connection without address")
	}
}

// Failed logins from an address delay the next ones.
func TestLoginBackOff(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, func(c *Config) { c.Limits.Tries = 100 })
	from := netip.MustParseAddr("127.0.0.1")
	for range 101 {
		p.server.addresses.failed(from, "nurse")
	}
	c, _ := p.secure("home.test")
	before := time.Now()
	c.Send(plainAuth("", "romeo", "pw-romeo"))
	c.Until(success)
	if took := time.Since(before); took < 200*time.Millisecond || p.server.Counters.LoginsHeld.Load() != 1 {
		t.Errorf("took %v", took)
	}
	// Shutdown does not wait for delayed logins.
	for range 1000 {
		p.server.addresses.failed(from, "nurse")
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

// A delay does not clear the count of failures: many connections at once guess no faster than one, in any order
// of the messages. Each exchange waits once.
func TestManyGuessesAtOnce(t *testing.T) {
	t.Parallel()
	p := newTestServer(t, func(c *Config) { c.Limits.Tries = 4 }) // a user's share is one a minute
	p.server.addresses.longest = 50 * time.Millisecond
	c, _ := p.secure("home.test")
	c.Send(plainAuth("", "romeo", "wrong"))
	c.Until("</failure>")
	var all []*client
	for range 5 {
		c, _ := p.secure("home.test")
		c.Send(plainAuth("", "romeo", "pw-romeo"))
		all = append(all, c)
	}
	for _, c := range all {
		if got := c.Until("</failure>"); !strings.Contains(got, "<temporary-auth-failure/>") {
			t.Errorf("answered %s", got)
		}
	}
	// The name may be sent later, and a login that was refused once is not admitted by sending it again.
	c = all[0]
	c.Send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'/>")
	c.Until("<challenge ")
	response := strings.NewReplacer("<auth ", "<response ", " mechanism='PLAIN'", "", "</auth>", "</response>").Replace(plainAuth("", "romeo", "pw-romeo"))
	for range 2 {
		c.Send(response)
		c.Until("<temporary-auth-failure/></failure>")
	}
	if n := p.server.Counters.LoginsFailed.Load(); n != 1 {
		t.Errorf("%d passwords were tried", n)
	}
	// Another user is not delayed, and an exchange that has begun continues.
	held := p.server.Counters.LoginsHeld.Load()
	c.Send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-256'>" +
		base64.StdEncoding.EncodeToString([]byte("n,,n=juliet,r=clientnonce")) + "</auth>")
	c.Until("</challenge>")
	for range 8 {
		p.server.addresses.failed(netip.MustParseAddr("127.0.0.1"), "nurse")
	}
	c.Send("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>AAAA</response>")
	c.Until("<malformed-request/></failure>")
	if n := p.server.Counters.LoginsHeld.Load() - held; n != 0 {
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
			romeo.Send(message("juliet@home.test/a", strings.Repeat("x", 1000)))
		}
		romeo.Send(message("juliet@home.test/a", "end"))
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
	romeo.Send(message("juliet@home.test/a", "one"))
	<-held // before it is read or after, as the reader was quick
	slow.Store(false)
	romeo.Send(message("juliet@home.test/a", "two"))
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
		romeo.Send(message("juliet@home.test/a", body))
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
			romeo.Send(message("juliet@home.test/a", "x") + message("juliet@home.test", "x"))
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
		romeo.Send(message("juliet@home.test/a", strings.Repeat("x", 10_000)))
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

// SetLimits holds for streams that begin after it, and for what is counted over connections at once.
func TestSetLimits(t *testing.T) {
	t.Parallel()
	g := newAddressLimiter(Limits{Connections: 1, Arrivals: -1, Tries: -1})
	from := netip.MustParseAddr("192.0.2.1")
	if v := g.connect(from); v != accepted {
		t.Fatalf("the first connection: %d", v)
	}
	if v := g.connect(from); v != tooMany {
		t.Errorf("the second connection: %d", v)
	}
	g.setLimits(Limits{Connections: 3, Arrivals: 1, Tries: 1})
	if v := g.connect(from); v != accepted {
		t.Errorf("after a higher limit: %d", v)
	}
	if v := g.connect(from); v != tooFast {
		t.Errorf("after a limit of arrivals: %d", v)
	}
	g.setLimits(Limits{Connections: 1, Arrivals: -1})
	if v := g.connect(from); v != tooMany {
		t.Errorf("after a lower limit: %d", v)
	}
}
