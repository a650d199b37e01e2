package locate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/dragoman-im/dragoman/core/s2s"
	"github.com/dragoman-im/dragoman/core/s2s/dnstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// open returns a Locator that asks a DNS server of the test.
func open(t testing.TB, dns *dnstest.Server, edit func(*Options)) *Locator {
	t.Helper()
	o := Options{Resolvers: []netip.AddrPort{dns.Addr}, Networks: loopback}
	if edit != nil {
		edit(&o)
	}
	l := New(o)
	t.Cleanup(l.Close)
	return l
}

// listener accepts connections to 127.0.0.1 until the test ends, and returns its port.
func listener(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				_ = c.Close()
			}
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return l.Addr().(*net.TCPAddr).Port
}

// closedPort returns a port of 127.0.0.1 that refuses connections until the end of the test: it is in use, for a connection of its own.
func closedPort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c.LocalAddr().(*net.TCPAddr).Port
}

func dial(t testing.TB, l *Locator, domain string) (*s2s.Target, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	target, err := l.Dial(ctx, domain)
	if err == nil {
		_ = target.Conn.Close()
	}
	return target, err
}

// TestDial finds servers by records of all kinds.
func TestDial(t *testing.T) { // checklist 105
	t.Parallel()
	port := listener(t)
	refused := closedPort(t)
	for _, c := range []struct {
		name    string
		domain  string
		records []string
		direct  bool
		absent  bool // the domain has no server
		err     error
	}{
		{name: "STARTTLS", records: []string{"_xmpp-server._tcp.a.example. SRV 0 0 PORT h.example.", "h.example. A 127.0.0.1"}},
		{name: "direct TLS", records: []string{"_xmpps-server._tcp.a.example. SRV 0 0 PORT h.example.", "h.example. A 127.0.0.1"}, direct: true},
		{name: "direct TLS has the better priority", direct: true, records: []string{
			"_xmpps-server._tcp.a.example. SRV 5 0 PORT h.example.", "_xmpp-server._tcp.a.example. SRV 10 0 PORT h.example.", "h.example. A 127.0.0.1",
		}},
		{name: "STARTTLS has the better priority", records: []string{
			"_xmpps-server._tcp.a.example. SRV 10 0 PORT h.example.", "_xmpp-server._tcp.a.example. SRV 5 0 PORT h.example.", "h.example. A 127.0.0.1",
		}},
		{name: "direct TLS is not offered", records: []string{
			"_xmpps-server._tcp.a.example. SRV 0 0 0 .", "_xmpp-server._tcp.a.example. SRV 5 0 PORT h.example.", "h.example. A 127.0.0.1",
		}},
		{name: "nothing is offered", absent: true, records: []string{"_xmpps-server._tcp.a.example. SRV 0 0 0 .", "_xmpp-server._tcp.a.example. SRV 0 0 0 .", "a.example. A 127.0.0.1"}},
		{name: "one service is not offered, the other does not exist", absent: true, records: []string{"_xmpp-server._tcp.a.example. SRV 0 0 0 .", "a.example. A 127.0.0.1"}},
		{name: "no SRV records", records: []string{"a.example. A 127.0.0.1"}},
		{name: "nothing exists", absent: true},
		{name: "SRV records without addresses", absent: true, records: []string{"_xmpp-server._tcp.a.example. SRV 0 0 PORT h.example.", "a.example. A 127.0.0.1"}},
		{name: "port 0", absent: true, records: []string{"_xmpp-server._tcp.a.example. SRV 0 0 0 h.example.", "h.example. A 127.0.0.1"}},
		{name: "the first server refuses", records: []string{
			"_xmpp-server._tcp.a.example. SRV 0 0 REFUSED h.example.", "_xmpp-server._tcp.a.example. SRV 1 0 PORT h.example.", "h.example. A 127.0.0.1",
		}},
		{name: "the first server has no address", records: []string{
			"_xmpp-server._tcp.a.example. SRV 0 0 PORT g.example.", "_xmpp-server._tcp.a.example. SRV 1 0 PORT h.example.", "h.example. A 127.0.0.1",
		}},
		{name: "second address", records: []string{"_xmpp-server._tcp.a.example. SRV 0 0 PORT h.example.", "h.example. AAAA ::1", "h.example. A 127.0.0.1"}},
		{name: "alias of the domain", records: []string{"a.example. CNAME b.example.", "b.example. CNAME c.example.", "c.example. A 127.0.0.1"}},
		{name: "alias of the service", records: []string{
			"_xmpp-server._tcp.a.example. CNAME _xmpp-server._tcp.b.example.", "_xmpp-server._tcp.b.example. SRV 0 0 PORT h.example.", "h.example. A 127.0.0.1",
		}},
		{name: "alias of a host", records: []string{"_xmpp-server._tcp.a.example. SRV 0 0 PORT g.example.", "g.example. CNAME h.example.", "h.example. A 127.0.0.1"}},
		{name: "aliases in a circle", absent: true, records: []string{"a.example. CNAME b.example.", "b.example. CNAME a.example."}},
		{name: "U-labels", domain: "bücher.example", records: []string{"_xmpp-server._tcp.xn--bcher-kva.example. SRV 0 0 PORT h.example.", "h.example. A 127.0.0.1"}},
		{name: "letter case", domain: "A.eXample.", records: []string{"_xmpp-server._tcp.a.example. SRV 0 0 PORT H.Example.", "h.example. A 127.0.0.1"}},
		{name: "IPv4 address", domain: "127.0.0.1"},
		{name: "private address", records: []string{"_xmpp-server._tcp.a.example. SRV 0 0 PORT h.example.", "h.example. A 10.0.0.1", "h.example. A 169.254.169.254", "h.example. AAAA fd00::1"}, err: errNetwork},
		{name: "private address as domain", domain: "192.168.0.1", err: errNetwork},
		{name: "no domain", domain: "a..example", absent: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var records []string
			for _, r := range c.records {
				r = strings.NewReplacer("PORT", fmt.Sprint(port), "REFUSED", fmt.Sprint(refused), " SRV", " 60 SRV", " A ", " 60 A ").Replace(r)
				records = append(records, r)
			}
			dns := dnstest.Start(t, records...)
			l := open(t, dns, func(o *Options) { o.port = port })
			domain := c.domain
			if domain == "" {
				domain = "a.example"
			}
			target, err := dial(t, l, domain)
			switch {
			case c.absent || c.err != nil:
				if err == nil || c.absent != errors.Is(err, s2s.ErrNotFound) || c.err != nil && !errors.Is(err, c.err) {
					t.Errorf("got %v, want %v, absent: %v", err, c.err, c.absent)
				}
			case err != nil:
				t.Error(err)
			case target.DirectTLS != c.direct || !strings.HasSuffix(target.Address, fmt.Sprint(":", port)):
				t.Errorf("got %+v", target)
			}
		})
	}
}
