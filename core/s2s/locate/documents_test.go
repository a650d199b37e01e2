package locate

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/s2s/dnstest"
	"github.com/dragoman-im/dragoman/core/web/hostmeta"
)

// site is a web server of a.example and b.example.
type site struct {
	*httptest.Server
	port  int
	roots *x509.CertPool
	asked atomic.Int32
}

// serve starts a web server with these documents below /.well-known/. A document that begins with http is a redirect.
func serve(t testing.TB, documents map[string]string) *site {
	t.Helper()
	s := &site{roots: x509.NewCertPool()}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		text, ok := documents[strings.TrimPrefix(r.URL.Path, "/.well-known/")]
		text = strings.ReplaceAll(text, "PORT", fmt.Sprint(s.port))
		switch {
		case !ok:
			http.NotFound(w, r)
		case strings.HasPrefix(text, "http"):
			http.Redirect(w, r, text, http.StatusFound)
		default:
			_, _ = io.WriteString(w, text)
		}
	}))
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"a.example", "b.example"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	s.roots.AddCert(leaf)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.port = s.Listener.Addr().(*net.TCPAddr).Port
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// locator asks this web server.
func (s *site) locator(t testing.TB, d *dnstest.Server, edit func(*Options)) *Locator {
	return open(t, d, func(o *Options) {
		o.HTTPS, o.Roots, o.web = true, s.roots, s.port
		if edit != nil {
			edit(o)
		}
	})
}

var sum = base64.StdEncoding.EncodeToString(make([]byte, sha256.Size))

// TestPOSH reads documents of RFC 7711.
func TestPOSH(t *testing.T) {
	t.Parallel()
	direct := fmt.Sprintf(`{"fingerprints": [{"sha-256": %q, "sha-512": "AAAA", "md5": "AAAA"}], "expires": 600}`, sum)
	for _, c := range []struct {
		name      string
		documents map[string]string
		want      int
	}{
		{"fingerprints", map[string]string{"posh/xmpp-server.json": direct}, 2},
		{"nothing", nil, 0},
		{"of another service", map[string]string{"posh/xmpp-client.json": direct}, 0},
		{"reference", map[string]string{"posh/xmpp-server.json": `{"url": "https://b.example:PORT/.well-known/x", "expires": 60}`, "x": direct}, 2},
		{"reference to a reference", map[string]string{
			"posh/xmpp-server.json": `{"url": "https://b.example:PORT/.well-known/x", "expires": 60}`, "x": `{"url": "https://b.example:PORT/.well-known/y", "expires": 60}`, "y": direct,
		}, 0},
		{"reference without TLS", map[string]string{"posh/xmpp-server.json": `{"url": "http://b.example:PORT/.well-known/x", "expires": 60}`, "x": direct}, 0},
		{"reference to this machine", map[string]string{"posh/xmpp-server.json": `{"url": "https://127.0.0.1:PORT/.well-known/x", "expires": 60}`, "x": direct}, 0},
		{"redirect", map[string]string{"posh/xmpp-server.json": "https://b.example:PORT/.well-known/x", "x": direct}, 2},
		{"redirect without TLS", map[string]string{"posh/xmpp-server.json": "http://b.example:PORT/.well-known/x", "x": direct}, 0},
		{"redirects in a circle", map[string]string{"posh/xmpp-server.json": "https://a.example:PORT/.well-known/posh/xmpp-server.json"}, 0},
		{"no JSON", map[string]string{"posh/xmpp-server.json": "<html/>"}, 0},
		{"wrong types", map[string]string{"posh/xmpp-server.json": `{"fingerprints": 5, "expires": "x"}`}, 0},
		{"too large", map[string]string{"posh/xmpp-server.json": direct + strings.Repeat(" ", maxDocumentSize)}, 0},
		{"no base64", map[string]string{"posh/xmpp-server.json": `{"fingerprints": [{"sha-256": "*"}], "expires": 60}`}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, c.documents)
			d := dnstest.Start(t, "a.example. 60 A 127.0.0.1", "b.example. 60 A 127.0.0.1")
			l := s.locator(t, d, nil)
			e := l.Evidence("a.example").Lookup()
			if len(e.Fingerprints) != c.want {
				t.Errorf("got %+v, want %d fingerprints", e.Fingerprints, c.want)
			}
			asked := s.asked.Load()
			l.Evidence("a.example").Lookup()
			if s.asked.Load() != asked {
				t.Error("the documents were fetched again")
			}
		})
	}
}

// TestWebAddresses fetches nothing from addresses that are not public, whatever a document or DNS says (CVE-2019-18394, OF-3315).
func TestWebAddresses(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string]string{"posh/xmpp-server.json": fmt.Sprintf(`{"fingerprints": [{"sha-256": %q}], "expires": 600}`, sum)})
	d := dnstest.Start(t, "a.example. 60 A 127.0.0.1")
	l := s.locator(t, d, func(o *Options) { o.Networks = nil })
	if e := l.Evidence("a.example").Lookup(); len(e.Fingerprints) != 0 || s.asked.Load() != 0 {
		t.Errorf("got %+v", e)
	}
	// Nor does the web server count if nobody vouches for it.
	l = s.locator(t, d, func(o *Options) { o.Roots = x509.NewCertPool() })
	if e := l.Evidence("a.example").Lookup(); len(e.Fingerprints) != 0 {
		t.Errorf("got %+v", e)
	}
	// Nothing is asked for if documents are off.
	l = s.locator(t, d, func(o *Options) { o.HTTPS = false })
	if l.Evidence("a.example").Lookup(); s.asked.Load() != 0 {
		t.Error("a document was fetched")
	}
}

// metaOf is a document with one link.
func metaDocumentOf(port int) string {
	return fmt.Sprintf(`{"xmpp": {"ttl": 600, "public-key-pins-sha-256": [%q, "x"]}, "links": [
		{"rel": "urn:xmpp:alt-connections:tls", "port": 1, "ips": ["127.0.0.1"], "priority": 0, "weight": 0, "sni": "a.example"},
		{"rel": "urn:xmpp:alt-connections:s2s-tls", "port": 0, "ips": ["127.0.0.1"], "priority": 0, "weight": 0, "sni": "a.example"},
		{"rel": "urn:xmpp:alt-connections:s2s-tls", "port": 1, "ips": ["nonsense"], "priority": 0, "weight": 0, "sni": "a.example"},
		{"rel": "urn:xmpp:alt-connections:s2s-tls", "port": %d, "ips": ["127.0.0.1", "10.0.0.1"], "priority": 10, "weight": 50, "sni": "host.example"}]}`, sum, port)
}

// TestHostMeta connects to what a document of XEP-0487 names.
func TestHostMeta(t *testing.T) {
	t.Parallel()
	port := listener(t)
	s := serve(t, map[string]string{"host-meta.json": metaDocumentOf(port)})
	d := dnstest.Start(t, "a.example. 60 A 127.0.0.1")
	l := s.locator(t, d, func(o *Options) { o.port = closedPort(t) })
	target, err := dial(t, l, "a.example")
	if err != nil {
		t.Fatal(err)
	}
	e := target.Evidence
	if !target.DirectTLS || e.ServerName != "host.example" || len(e.Names) != 1 || e.Names[0] != "host.example" || len(e.Keys) != 1 {
		t.Errorf("got %+v", target)
	}
	if e := l.Evidence("a.example").Lookup(); len(e.Keys) != 1 {
		t.Errorf("for an incoming connection got %+v", e)
	}
}

// TestOwnHostMeta finds a server by the document that this one publishes, also for a domain below a host.
func TestOwnHostMeta(t *testing.T) {
	t.Parallel()
	port := listener(t)
	public := hostmeta.Public{Addresses: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, Servers: uint16(port), Clients: 5223}
	documents := hostmeta.Documents{Below: func(domain string) (hostmeta.Document, bool) { return public.Below(domain), domain == "b.example" }}
	if err := documents.Add("a.example", public.Document("a.example", hostmeta.ForClients("https://a.example"))); err != nil {
		t.Fatal(err)
	}
	s := serve(t, nil)
	mux := http.NewServeMux()
	for _, r := range documents.Routes() {
		mux.Handle(r.Pattern, r.Handler)
	}
	s.Config.Handler = mux
	d := dnstest.Start(t, "a.example. 60 A 127.0.0.1", "b.example. 60 A 127.0.0.1")
	l := s.locator(t, d, func(o *Options) { o.port = closedPort(t) })
	for _, domain := range []string{"a.example", "b.example"} {
		target, err := dial(t, l, domain)
		if err != nil {
			t.Fatalf("%s: %v", domain, err)
		}
		if !target.DirectTLS || target.Evidence.ServerName != domain {
			t.Errorf("%s: got %+v", domain, target)
		}
	}
}

// TestHostMetaIsNotAskedWithSRV does not wait for the web server of a domain that has SRV records.
func TestHostMetaIsNotAskedWithSRV(t *testing.T) {
	t.Parallel()
	port := listener(t)
	s := serve(t, map[string]string{"host-meta.json": metaDocumentOf(1)})
	d := dnstest.Start(t, "a.example. 60 A 127.0.0.1", fmt.Sprintf("_xmpp-server._tcp.a.example. 60 SRV 0 0 %d a.example.", port))
	if target, err := dial(t, s.locator(t, d, nil), "a.example"); err != nil || target.DirectTLS || s.asked.Load() != 0 {
		t.Errorf("got %+v, %v; the web server was asked %d times", target, err, s.asked.Load())
	}
}

// TestWithoutHostMeta takes the domain as the host if its document is missing or of XEP-0156 only.
func TestWithoutHostMeta(t *testing.T) {
	t.Parallel()
	port := listener(t)
	for name, documents := range map[string]map[string]string{
		"missing": nil, "of XEP-0156": {"host-meta.json": `{"links": [{"rel": "urn:xmpp:alt-connections:xbosh", "href": "https://a.example/"}]}`},
		"without links": {"host-meta.json": `{"xmpp": {"ttl": 5}}`},
	} {
		s := serve(t, documents)
		d := dnstest.Start(t, "a.example. 60 A 127.0.0.1")
		target, err := dial(t, s.locator(t, d, func(o *Options) { o.port = port }), "a.example")
		if err != nil || target.DirectTLS {
			t.Errorf("%s: got %+v, %v", name, target, err)
		}
	}
}

// TestSystemResolver asks DNS by the resolver of the standard library.
func TestSystemResolver(t *testing.T) {
	t.Parallel()
	port := listener(t)
	d := dnstest.Start(t, fmt.Sprintf("_xmpps-server._tcp.a.example. 60 SRV 0 0 %d h.example.", port), "h.example. 60 A 127.0.0.1")
	l := open(t, d, func(o *Options) { o.Resolvers = nil })
	resolver := l.source.(system)
	resolver.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, network, d.Addr.String())
	}
	if target, err := dial(t, l, "a.example"); err != nil || !target.DirectTLS || len(target.Evidence.Names) != 0 {
		t.Errorf("got %+v, %v", target, err)
	}
	if a, _, err := resolver.lookup(t.Context(), "nothing.example", kindA); err != nil || !a.empty() {
		t.Errorf("got %+v, %v", a, err)
	}
	if a, _, err := resolver.lookup(t.Context(), "h.example", kindTLSA); err != nil || !a.empty() {
		t.Errorf("got %+v, %v", a, err)
	}
}
