package locate

import (
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/s2s"
	"github.com/dragoman-im/dragoman/core/s2s/certificate"
)

// Limits of what a domain can make this process do.
const (
	maxHosts     = 16     // that are tried for one domain
	maxAddresses = 8      // of one host
	maxOpen      = 6      // connections that are being opened at once for one domain
	maxExtra     = 1000   // connections that are being opened beside the first one of their domain, for all domains
	maxQueries   = 4096   // DNS queries at once
	maxCached    = 20_000 // entries of one cache
	maxFetches   = 256    // documents at once

	dialTimeout    = 40 * time.Second       // the whole search for a server that accepts connections
	connectTimeout = 10 * time.Second       // one address
	lookupTimeout  = 10 * time.Second       // one DNS query, with its repetitions
	fetchTimeout   = 8 * time.Second        // one document
	metaWait       = 2 * time.Second        // for host-meta-2 before a domain without SRV records is taken as the host
	attemptDelay   = 250 * time.Millisecond // RFC 8305 §5: before the next address is tried beside one that has not answered
	familyDelay    = 50 * time.Millisecond  // RFC 8305 §3: for the other family of addresses
	evidenceWait   = 4 * time.Second        // how long a connection waits for documents; fetching them continues for the next connection
	failedFor      = 10 * time.Minute       // an address that was not usable is tried after all others
)

// Ports and services of XMPP servers.
const (
	serverPort    = 5269
	serviceServer = "_xmpp-server._tcp."
	serviceDirect = "_xmpps-server._tcp."
)

// Options of a Locator.
type Options struct {
	Resolvers []netip.AddrPort // that are asked; empty: the resolver of the system
	DNSSEC    bool             // whether the resolvers are trusted when they say that DNSSEC has validated an answer; those on this machine always are
	DANE      bool             // whether TLSA records count, where DNSSEC protects them
	HTTPS     bool             // whether documents of domains count: POSH and host-meta-2
	Networks  []netip.Prefix   // that may be connected to although they are not public
	Roots     *x509.CertPool   // authorities of those documents; nil: those of the system
	Log       *slog.Logger

	port int     // of a host without SRV records; 0: serverPort
	web  int     // of documents; 0: 443
	dial connect // nil: TCP
}

// connect connects to an address.
type connect func(ctx context.Context, addr netip.AddrPort) (net.Conn, error)

func connectTCP(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", addr.String())
}

// Locator finds servers. Its methods may be called from any goroutine.
type Locator struct {
	options Options
	source  source
	records *cache[answer]
	posh    *cache[certificate.Evidence]
	meta    *cache[hostMeta]
	failed  *cache[struct{}]
	client  *http.Client
	extra   chan struct{} // semaphore of maxExtra

	base context.Context // ends with Close
	stop context.CancelFunc
	all  sync.WaitGroup
}

// New returns a Locator. Close it.
func New(o Options) *Locator {
	if o.port == 0 {
		o.port = serverPort
	}
	if o.web == 0 {
		o.web = 443
	}
	if o.dial == nil {
		o.dial = connectTCP
	}
	l := &Locator{options: o, extra: make(chan struct{}, maxExtra)}
	l.base, l.stop = context.WithCancel(context.Background())
	if len(o.Resolvers) > 0 {
		l.source = newClient(o.Resolvers, o.DNSSEC)
	} else {
		l.source = system{&net.Resolver{PreferGo: true}}
	}
	l.records = newCache[answer](l, maxQueries, lookupTimeout)
	l.posh = newCache[certificate.Evidence](l, maxFetches, 2*fetchTimeout)
	l.meta = newCache[hostMeta](l, maxFetches, fetchTimeout)
	l.failed = newCache[struct{}](l, 1, 0)
	l.client = l.newHTTPClient()
	return l
}

// Close ends the lookups that run, and waits for them.
func (l *Locator) Close() {
	l.stop()
	l.all.Wait()
	l.client.CloseIdleConnections()
}

// Dial connects to a server of the domain.
func (l *Locator) Dial(ctx context.Context, domain string) (*s2s.Target, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	defer context.AfterFunc(l.base, cancel)()
	ascii, err := certificate.ASCII(domain)
	if err != nil {
		return nil, fmt.Errorf("find server of %s: %w: %w", domain, s2s.ErrNotFound, err)
	}
	hosts, err := l.hosts(ctx, ascii)
	if err != nil {
		return nil, fmt.Errorf("find server of %s: %w", domain, err)
	}
	found, err := l.connect(ctx, hosts)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", domain, err)
	}
	e := found.evidence
	e.Lookup = func() certificate.Evidence { return l.published(ascii) }
	address := found.addr.String()
	others := len(hosts) > 1 || !found.alone
	return &s2s.Target{Conn: found.conn, DirectTLS: found.host.direct, Address: address, Evidence: e, Failed: func() bool {
		l.fail(address)
		return others
	}}, nil
}

// Evidence is what a domain publishes about the certificates of its servers, for a connection that one of them has opened.
func (l *Locator) Evidence(domain string) certificate.Evidence {
	ascii, err := certificate.ASCII(domain)
	if err != nil {
		return certificate.Evidence{Initiator: true}
	}
	return certificate.Evidence{Initiator: true, Lookup: func() certificate.Evidence { return l.anyServer(ascii) }}
}

// fail notes that the server at an address was not usable: others of the domain are tried before it for a while (XEP-0487 §5.2).
func (l *Locator) fail(address string) {
	l.failed.put(address, struct{}{}, failedFor)
}
