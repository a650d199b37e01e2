package locate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/dragoman-im/dragoman/core/s2s"
	"github.com/dragoman-im/dragoman/core/s2s/certificate"
	"github.com/dragoman-im/dragoman/core/s2s/dnstest"
)

// TestOrder checks priorities, and weights by counting.
func TestOrder(t *testing.T) { // checklist 105
	t.Parallel()
	all := func() []weighed {
		return []weighed{
			{host{name: "later"}, 20, 1000},
			{host{name: "heavy"}, 10, 30}, {host{name: "light"}, 10, 10}, {host{name: "none"}, 10, 0},
			{host{name: "first"}, 0, 0},
		}
	}
	const rounds = 4000
	second := map[string]int{}
	for range rounds {
		got := order(all())
		if len(got) != 5 || got[0].name != "first" || got[4].name != "later" {
			t.Fatalf("got %v", got)
		}
		second[got[1].name]++
	}
	if n := second["heavy"]; n < rounds*65/100 || n > rounds*85/100 {
		t.Errorf("the heavy one came first %d times of %d, want about three quarters", n, rounds)
	}
	if n := second["none"]; n > rounds/50 {
		t.Errorf("the one without weight came first %d times of %d", n, rounds)
	}
	if got := order(nil); got != nil {
		t.Errorf("got %v for nothing", got)
	}
}

// TestServFailIsNotAbsence does not take the domain as the host if its SRV records could not be had.
func TestServFailIsNotAbsence(t *testing.T) {
	t.Parallel()
	d := dnstest.Start(t, "a.example. 60 A 127.0.0.1")
	d.Fail("_xmpp-server._tcp.a.example", dns.RcodeServerFailure)
	l := open(t, d, func(o *Options) { o.port = listener(t) })
	if _, err := dial(t, l, "a.example"); err == nil || errors.Is(err, s2s.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	// The other service alone is enough.
	d.Add(t, fmt.Sprintf("_xmpp-server._tcp.b.example. 60 SRV 0 0 %d a.example.", l.options.port))
	d.Fail("_xmpps-server._tcp.b.example", dns.RcodeServerFailure)
	if _, err := dial(t, l, "b.example"); err != nil {
		t.Error(err)
	}
}

// TestSecondResolver asks the next resolver if the first does not answer or fails.
func TestSecondResolver(t *testing.T) {
	t.Parallel()
	failing, good := dnstest.Start(t), dnstest.Start(t, "a.example. 60 A 127.0.0.1")
	for _, name := range []string{"a.example", "_xmpp-server._tcp.a.example", "_xmpps-server._tcp.a.example"} {
		failing.Fail(name, dns.RcodeRefused)
	}
	l := open(t, good, func(o *Options) {
		o.Resolvers = []netip.AddrPort{failing.Addr, good.Addr}
		o.port = listener(t)
	})
	if _, err := dial(t, l, "a.example"); err != nil {
		t.Error(err)
	}
}

// TestCache asks once for what is asked for at once and again, also for what does not exist.
func TestCache(t *testing.T) {
	t.Parallel()
	d := dnstest.Start(t, "a.example. 60 A 127.0.0.1")
	l := open(t, d, func(o *Options) { o.port = listener(t) })
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := dial(t, l, "a.example"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, q := range []string{"A a.example", "AAAA a.example", "SRV _xmpp-server._tcp.a.example", "SRV _xmpps-server._tcp.a.example"} {
		if n := d.Asked(q); n != 1 {
			t.Errorf("%s was asked for %d times", q, n)
		}
	}
}

// TestLifetimes bounds how long answers are kept.
func TestLifetimes(t *testing.T) {
	t.Parallel()
	reply := func(lines ...string) *dns.Msg {
		m := new(dns.Msg)
		for _, text := range lines {
			r, err := dns.NewRR(text)
			if err != nil {
				t.Fatal(err)
			}
			if r.Header().Rrtype == dns.TypeSOA {
				m.Ns = append(m.Ns, r)
			} else {
				m.Answer = append(m.Answer, r)
			}
		}
		return m
	}
	for _, c := range []struct {
		reply *dns.Msg
		none  bool
		want  time.Duration
	}{
		{reply("a. 300 A 192.0.2.1", "a. 60 A 192.0.2.2"), false, time.Minute},
		{reply("a. 999999 A 192.0.2.1"), false, maxKept},
		{reply("a. 3600 SOA b. c. 1 2 3 4 120"), true, 2 * time.Minute},
		{reply("a. 30 SOA b. c. 1 2 3 4 120"), true, 30 * time.Second},
		{reply("a. 99999 SOA b. c. 1 2 3 4 99999"), true, maxNegative},
		{reply(), true, minKept},
	} {
		if got := lifetime(c.reply, c.none); got != c.want {
			t.Errorf("%v: kept for %v, want %v", c.reply.Answer, got, c.want)
		}
	}
}

// TestCacheIsBounded fills a cache.
func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	l := New(Options{})
	defer l.Close()
	for i := range maxCached + 1000 {
		l.fail(fmt.Sprint(i))
	}
	if n := len(l.failed.entries); n > maxCached {
		t.Errorf("%d entries", n)
	}
	if !l.failed.has(fmt.Sprint(maxCached + 999)) {
		t.Error("the newest entry is gone")
	}
}

// TestTruncated reads a large answer over TCP.
func TestTruncated(t *testing.T) {
	t.Parallel()
	d := dnstest.Start(t)
	for i := range 50 {
		d.Add(t, fmt.Sprintf("_xmpp-server._tcp.a.example. 60 SRV %d 0 %d host-with-a-long-name-%d.example.", i+1, 1, i))
	}
	port := listener(t)
	d.Add(t, fmt.Sprintf("_xmpp-server._tcp.a.example. 60 SRV 0 0 %d h.example.", port), "h.example. 60 A 127.0.0.1")
	if _, err := dial(t, open(t, d, nil), "a.example"); err != nil {
		t.Error(err)
	}
}

// TestTooManyServers tries a bounded number of servers only.
func TestTooManyServers(t *testing.T) {
	t.Parallel()
	d := dnstest.Start(t)
	refused := closedPort(t)
	for i := range maxHosts {
		d.Add(t, fmt.Sprintf("_xmpp-server._tcp.a.example. 60 SRV 0 0 %d h%d.example.", refused, i), fmt.Sprintf("h%d.example. 60 A 127.0.0.1", i))
	}
	d.Add(t, fmt.Sprintf("_xmpp-server._tcp.a.example. 60 SRV 1 0 %d last.example.", listener(t)), "last.example. 60 A 127.0.0.1")
	if _, err := dial(t, open(t, d, nil), "a.example"); err == nil || errors.Is(err, s2s.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if n := d.Asked("A last.example"); n != 0 {
		t.Error("the seventeenth server was looked up")
	}
}

// TestFailedLast tries an address that was not usable after the others of its domain.
func TestFailedLast(t *testing.T) {
	t.Parallel()
	one, two := listener(t), listener(t)
	d := dnstest.Start(t, fmt.Sprintf("_xmpps-server._tcp.a.example. 60 SRV 0 0 %d h.example.", one),
		fmt.Sprintf("_xmpp-server._tcp.a.example. 60 SRV 9 0 %d h.example.", two), "h.example. 60 A 127.0.0.1")
	l := open(t, d, nil)
	target, err := dial(t, l, "a.example")
	if err != nil || !target.DirectTLS {
		t.Fatalf("got %+v, %v", target, err)
	}
	if !target.Failed() {
		t.Error("the other server of the domain is not known")
	}
	if target, err = dial(t, l, "a.example"); err != nil || target.DirectTLS {
		t.Fatalf("got %+v, %v", target, err)
	}
	if !target.Failed() {
		t.Error("the other server of the domain is not known")
	}
	if target, err = dial(t, l, "a.example"); err != nil || !target.DirectTLS {
		t.Errorf("got %+v, %v", target, err)
	}
}

// stalled is a way to connect that never ends at the addresses in 127.0.1.0/24.
func stalled(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
	if netip.MustParsePrefix("127.0.1.0/24").Contains(addr.Addr()) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return connectTCP(ctx, addr)
}

// TestDeadDomains connects to a domain while a thousand others do not answer: neither their DNS, nor their addresses' DNS, nor their hosts.
func TestDeadDomains(t *testing.T) { // checklist 105
	t.Parallel()
	port := listener(t)
	d := dnstest.Start(t, fmt.Sprintf("_xmpp-server._tcp.a.example. 60 SRV 0 0 %d h.example.", port), "h.example. 60 A 127.0.0.1")
	const dead = 334
	for i := range dead {
		d.Silence(fmt.Sprintf("_xmpp-server._tcp.silent%d.example", i))
		d.Silence(fmt.Sprintf("_xmpps-server._tcp.silent%d.example", i))
		d.Add(t, fmt.Sprintf("_xmpp-server._tcp.slow%d.example. 60 SRV 0 0 1 slow%d.example.", i, i))
		d.Silence(fmt.Sprintf("slow%d.example", i))
		for j := range maxAddresses {
			d.Add(t, fmt.Sprintf("stalled%d.example. 60 A 127.0.1.%d", i, j+1))
		}
	}
	l := open(t, d, func(o *Options) { o.dial = stalled })
	ctx, cancel := context.WithCancel(t.Context())
	var all, started sync.WaitGroup
	for i := range dead {
		for _, name := range []string{"silent", "slow", "stalled"} {
			started.Add(1)
			all.Go(func() {
				started.Done()
				if target, err := l.Dial(ctx, fmt.Sprintf("%s%d.example", name, i)); err == nil {
					_ = target.Conn.Close()
					t.Error("a dead domain was connected to")
				}
			})
		}
	}
	started.Wait()
	_, err := dial(t, l, "a.example")
	for until := time.Now().Add(dialTimeout - lookupTimeout); err != nil && time.Now().Before(until); {
		// On a slow machine the socket of the DNS server has no room for all the questions, so that this one is lost too.
		time.Sleep(errorKept / 10)
		_, err = dial(t, l, "a.example")
	}
	if err != nil {
		t.Error(err)
	}
	cancel()
	all.Wait()
}

// TestStalledAddresses goes on to the next address of a domain, and bounds how many are tried at once.
func TestStalledAddresses(t *testing.T) {
	t.Parallel()
	port := listener(t)
	d := dnstest.Start(t,
		fmt.Sprintf("_xmpp-server._tcp.a.example. 60 SRV 0 0 %d h.example.", port), fmt.Sprintf("_xmpp-server._tcp.a.example. 60 SRV 1 0 %d g.example.", port),
		"g.example. 60 A 127.0.0.1", "many.example. 60 A 127.0.1.1")
	for i := range 3 {
		d.Add(t, fmt.Sprintf("h.example. 60 A 127.0.1.%d", i+1))
	}
	for i := range maxAddresses - 1 {
		d.Add(t, fmt.Sprintf("many.example. 60 A 127.0.1.%d", i+2))
	}
	var mu sync.Mutex
	running, most := 0, 0
	l := open(t, d, func(o *Options) {
		o.dial = func(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			defer func() {
				mu.Lock()
				defer mu.Unlock()
				running--
			}()
			return stalled(ctx, addr)
		}
	})
	if _, err := dial(t, l, "a.example"); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), (maxOpen+2)*attemptDelay)
	defer cancel()
	if _, err := l.Dial(ctx, "many.example"); err == nil {
		t.Error("a stalled address was connected to")
	}
	if most > maxOpen {
		t.Errorf("%d connections were being opened at once", most)
	}
}

// TestManyStalledAtOnce lets every domain open one connection when the process opens as many as it may.
func TestManyStalledAtOnce(t *testing.T) {
	t.Parallel()
	d := dnstest.Start(t, "a.example. 60 A 127.0.1.1", "a.example. 60 A 127.0.0.1")
	l := open(t, d, func(o *Options) {
		o.port = listener(t)
		o.dial = func(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
			if addr.Addr() != netip.MustParseAddr("127.0.0.1") {
				return nil, errors.New("refused")
			}
			return connectTCP(ctx, addr)
		}
	})
	for range maxExtra {
		l.extra <- struct{}{}
	}
	if _, err := dial(t, l, "a.example"); err != nil {
		t.Error(err)
	}
}

// TestDNSSEC takes records as validated only from resolvers that are trusted, and TLSA records only then.
func TestDNSSEC(t *testing.T) {
	t.Parallel()
	port := listener(t)
	records := []string{
		fmt.Sprintf("_xmpp-server._tcp.a.example. 60 SRV 0 0 %d h.example.", port), "h.example. 60 A 127.0.0.1",
		fmt.Sprintf("_%d._tcp.h.example. 60 TLSA 3 1 1 %s", port, strings.Repeat("ab", 32)),
	}
	d := dnstest.Start(t, records...)
	for _, c := range []struct {
		name          string
		secure, dane  bool
		names, tlsa   int
		withoutTrust  bool
		wantTLSAAsked int
	}{
		{name: "not validated", dane: true},
		{name: "validated", secure: true, dane: true, names: 1, tlsa: 1},
		{name: "validated, DANE is off", secure: true, names: 1},
		{name: "the resolver is not trusted", secure: true, dane: true, withoutTrust: true},
	} {
		d.Secure(c.secure)
		l := open(t, d, func(o *Options) { o.DANE = c.dane })
		if c.withoutTrust {
			for i := range l.source.(*client).servers {
				l.source.(*client).servers[i].trusted = false
			}
		}
		target, err := dial(t, l, "a.example")
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if e := target.Evidence; len(e.Names) != c.names || len(e.TLSA) != c.tlsa {
			t.Errorf("%s: got %v and %v", c.name, e.Names, e.TLSA)
		}
		if e := l.Evidence("a.example").Lookup(); len(e.Names) != c.names || len(e.TLSA) != c.tlsa {
			t.Errorf("%s: for an incoming connection got %v and %v", c.name, e.Names, e.TLSA)
		}
		if e, err := l.Servers("a.example"); err != nil || len(e.Names) != c.names || len(e.TLSA) != c.tlsa || e.Initiator {
			t.Errorf("%s: for what is sent back got %v and %v, %v", c.name, e.Names, e.TLSA, err)
		}
	}
	if trusted := newClient([]netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:53"), netip.MustParseAddrPort("[::1]:53")}, false); trusted.servers[0].trusted || !trusted.servers[1].trusted {
		t.Error("a resolver elsewhere is trusted, or one on this machine is not")
	}
}

// TestSuppressedTLSA does not connect where TLSA records could not be had: suppressing them would be enough to avoid them.
func TestSuppressedTLSA(t *testing.T) {
	t.Parallel()
	port := listener(t)
	d := dnstest.Start(t, fmt.Sprintf("_xmpp-server._tcp.a.example. 60 SRV 0 0 %d h.example.", port), "h.example. 60 A 127.0.0.1")
	d.Secure(true)
	d.Fail(fmt.Sprintf("_%d._tcp.h.example", port), dns.RcodeServerFailure)
	l := open(t, d, func(o *Options) { o.DANE = true })
	if _, err := dial(t, l, "a.example"); err == nil {
		t.Error("it was connected to")
	}
	if _, err := l.Servers("a.example"); err == nil {
		t.Error("a server that has connected is sent stanzas")
	}
	if e, err := l.Servers("missing.example"); err != nil || len(e.TLSA) > 0 {
		t.Errorf("%v, %v for a domain without servers", e, err)
	}
}

// TestAllowed is the classes of CVE-2019-18394 and OF-3315 for links to other servers.
func TestAllowed(t *testing.T) {
	t.Parallel()
	public := &Locator{}
	own := &Locator{options: Options{Networks: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}}}
	for text, want := range map[string]bool{
		"8.8.8.8": true, "2606:4700::1111": true, "::ffff:8.8.8.8": true,
		"127.0.0.1": false, "::1": false, "::ffff:127.0.0.1": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false,
		"169.254.169.254": false, "100.64.0.1": false, "0.0.0.0": false, "::": false, "224.0.0.1": false, "ff02::1": false, "fe80::1": false,
		"fe80::1%eth0": false, "fd00::1": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false, "255.255.255.255": false, "192.0.2.1": false, "2001:db8::1": false,
	} {
		if got := public.allowed(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: allowed: %v", text, got)
		}
	}
	if !own.allowed(netip.MustParseAddr("10.1.2.3")) || !own.allowed(netip.MustParseAddr("::ffff:10.1.2.3")) || own.allowed(netip.MustParseAddr("10.2.0.1")) {
		t.Error("allowed networks are not what was set")
	}
	if public.allowed(netip.Addr{}) {
		t.Error("no address at all is allowed")
	}
}

// TestAlternate mixes the families, beginning with IPv6.
func TestAlternate(t *testing.T) {
	t.Parallel()
	ips := func(all ...string) (list []netip.Addr) {
		for _, a := range all {
			list = append(list, netip.MustParseAddr(a))
		}
		return list
	}
	got := alternate(ips("::1", "::2", "::3"), ips("192.0.2.1"))
	if want := ips("::1", "192.0.2.1", "::2", "::3"); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// FuzzAnswer reads answers of DNS that mean nothing.
func FuzzAnswer(f *testing.F) {
	seed := new(dns.Msg).SetQuestion("a.example.", dns.TypeSRV)
	for _, text := range []string{"a.example. 60 CNAME b.example.", "b.example. 60 SRV 1 2 3 h.example.", "b.example. 60 TLSA 3 1 1 abcd"} {
		r, err := dns.NewRR(text)
		if err != nil {
			f.Fatal(err)
		}
		seed.Answer = append(seed.Answer, r)
	}
	packed, err := seed.Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed)
	f.Fuzz(func(t *testing.T, packet []byte) {
		m := new(dns.Msg)
		if m.Unpack(packet) != nil {
			return
		}
		for _, k := range []kind{kindA, kindAAAA, kindSRV, kindTLSA} {
			var a answer
			a.add(m, "a.example", k)
			for _, h := range order(offered(a, true)) {
				if again, err := certificate.ASCII(h.name); h.port == 0 || err != nil || again != h.name {
					t.Errorf("host %+v", h)
				}
			}
			if kept := lifetime(m, a.empty()); kept > maxKept || kept < 0 {
				t.Errorf("kept for %v", kept)
			}
		}
	})
}
