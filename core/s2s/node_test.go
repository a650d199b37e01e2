package s2s

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"log/slog"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/dragoman-im/dragoman/core/internal/rawstream"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// authority signs the certificates of the servers of a test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{key: key, pool: x509.NewCertPool()}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority of a test"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.pool.AddCert(a.cert)
	return a
}

// sign returns a certificate for domains; change, which may be nil, changes it before.
func (a *authority) sign(t testing.TB, change func(*x509.Certificate), domains ...string) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, DNSNames: domains,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if change != nil {
		change(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// network has the servers of a test: it is their Dialer.
type network struct {
	t  testing.TB
	ca *authority

	mu      sync.Mutex
	servers map[string]host
	dialled map[string]int
}

type host struct {
	addr   string
	direct bool
	hangs  bool // nothing is ever answered
}

func newNetwork(t testing.TB) *network {
	return &network{t: t, ca: newAuthority(t), servers: map[string]host{}, dialled: map[string]int{}}
}

func (n *network) set(domain string, h host) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.servers[domain] = h
}

func (n *network) count(domain string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.dialled[domain]
}

func (n *network) Dial(ctx context.Context, domain string) (*Target, error) {
	n.mu.Lock()
	h, ok := n.servers[domain]
	n.dialled[domain]++
	n.mu.Unlock()
	if !ok {
		return nil, ErrNotFound
	}
	if h.hangs {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", h.addr)
	if err != nil {
		return nil, err
	}
	return &Target{Conn: c, DirectTLS: h.direct, Address: h.addr}, nil
}

// arrived are the stanzas for a domain.
type arrived chan *stanza.Stanza

func (a arrived) Deliver(st *stanza.Stanza) { a <- st }

func (a arrived) next(t testing.TB) *stanza.Stanza {
	t.Helper()
	select {
	case st := <-a:
		return st
	case <-time.After(rawstream.Timeout):
		t.Fatal("nothing has arrived")
		return nil
	}
}

// node is a server of a test.
type node struct {
	t        testing.TB
	network  *network
	domain   string
	router   *router.Router
	server   *Server
	arrived  arrived
	kept     *memoryOutbox
	addr     string
	addrTLS  string
	shutdown func()
}

// newNode starts a server for a domain. Its certificate is valid unless change sets another one.
func newNode(t testing.TB, n *network, domain string, change func(*Config)) *node {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	o := &node{t: t, network: n, domain: domain, router: router.New(log), arrived: make(arrived, 10_000), kept: &memoryOutbox{}}
	o.serve(domain)
	own := n.ca.sign(t, nil, domain, "rooms."+domain)
	cfg := Config{
		Router: o.router, Name: jid.MustParse(domain), Dialer: n, Roots: n.ca.pool, Secret: []byte(rand.Text() + rand.Text()), Log: log,
		Certificates: func(string) (*tls.Certificate, error) { return own, nil }, Outbox: o.kept,
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if o.server, err = NewServer(cfg); err != nil {
		t.Fatal(err)
	}
	o.router.SetRemote(o.server)
	if err := o.server.Restore(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	listen := func(serve func(context.Context, net.Listener) error) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		running.Go(func() {
			if err := serve(ctx, l); err != nil {
				t.Error(err)
			}
		})
		return l.Addr().String()
	}
	o.addr, o.addrTLS = listen(o.server.Serve), listen(o.server.ServeTLS)
	running.Go(func() { _ = o.server.Run(ctx) })
	n.set(domain, host{addr: o.addr})
	o.shutdown = sync.OnceFunc(func() {
		cancel()
		running.Wait()
		stopping, done := context.WithTimeout(context.Background(), rawstream.Timeout)
		defer done()
		o.server.Shutdown(stopping)
	})
	t.Cleanup(o.shutdown)
	return o
}

// serve adds a domain of the server.
func (o *node) serve(domain string) {
	o.t.Helper()
	if err := o.router.Attach(jid.MustParse(domain), o.arrived); err != nil {
		o.t.Fatal(err)
	}
}

// send sends a chat message with a text as its body and as its id.
func (o *node) send(to, from, text string) {
	st := stanza.NewMessage(jid.MustParse(to), jid.MustParse(from), stanza.TypeChat, stanza.TextElement(stanza.NSClient, "body", text))
	st.ID = text
	o.router.Route(st)
}

// wants waits for a message.
func (o *node) wants(from, text string) {
	o.t.Helper()
	if st := o.arrived.next(o.t); st.Body() != text || st.From.String() != from || st.Type == stanza.TypeError {
		o.t.Fatalf("%s got %s, wants %q from %s", o.domain, st, text, from)
	}
}

// wantsError waits for an error.
func (o *node) wantsError(id, condition string) {
	o.t.Helper()
	st := o.arrived.next(o.t)
	if st.Type != stanza.TypeError || st.ID != id || st.Err().Condition != condition {
		o.t.Fatalf("%s got %s, wants the error %s for %s", o.domain, st, condition, id)
	}
}

// quiet wants nothing to have arrived.
func (o *node) quiet() {
	o.t.Helper()
	select {
	case st := <-o.arrived:
		o.t.Errorf("%s got %s", o.domain, st)
	default:
	}
}

// selfSigned gives a server a certificate that nobody trusts.
func selfSigned(t testing.TB, domain string) func(*Config) {
	own := newAuthority(t).sign(t, nil, domain)
	return func(c *Config) { c.Certificates = func(string) (*tls.Certificate, error) { return own, nil } }
}

// withoutOutbox makes a server keep nothing.
func withoutOutbox(c *Config) { c.Outbox = nil }
