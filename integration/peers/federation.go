package peers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/s2s/dnstest"
)

// Federation is what servers need to communicate with each other on loopback: a DNS server that knows where they are, and an authority
// that signs their certificates.
type Federation struct {
	DNS    *dnstest.Server
	CAFile string // PEM
	pool   *x509.CertPool
	ca     *x509.Certificate
	key    *ecdsa.PrivateKey
	relays map[string]*Relay // by domain; nil until its server is announced
}

// NewFederation makes an authority and starts a DNS server, which ends with the test.
func NewFederation(t testing.TB) *Federation {
	t.Helper()
	f := &Federation{DNS: dnstest.Start(t, "localhost. 60 A 127.0.0.1"), CAFile: filepath.Join(t.TempDir(), "ca.pem"), pool: x509.NewCertPool()}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "authority of the test"}, KeyUsage: x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true,
	}
	der, key := f.sign(t, template)
	f.key = key
	ca, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	f.ca = ca
	f.pool.AddCert(ca)
	if err := writePEM(f.CAFile, "CERTIFICATE", der); err != nil {
		t.Fatal(err)
	}
	return f
}

// sign makes a key and signs its certificate: by itself until there is an authority.
func (f *Federation) sign(t testing.TB, template *x509.Certificate) ([]byte, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	if template.NotAfter.IsZero() {
		template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	}
	parent, signer := f.ca, f.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	return der, key
}

// Certificate writes a certificate of the authority and its key to dir.
func (f *Federation) Certificate(t testing.TB, dir string, domains ...string) *Authority {
	t.Helper()
	return f.CertificateFor(t, dir, Validity{}, domains...)
}

// Validity is the time for which a certificate is valid; the zero value is one that includes now.
type Validity struct{ From, Until time.Time }

// Expired ended yesterday.
func Expired() Validity {
	return Validity{time.Now().Add(-48 * time.Hour), time.Now().Add(-24 * time.Hour)}
}

// NotYetValid begins tomorrow.
func NotYetValid() Validity {
	return Validity{time.Now().Add(24 * time.Hour), time.Now().Add(48 * time.Hour)}
}

// CertificateFor is Certificate with another validity.
func (f *Federation) CertificateFor(t testing.TB, dir string, v Validity, domains ...string) *Authority {
	t.Helper()
	der, key := f.sign(t, &x509.Certificate{
		NotBefore: v.From, NotAfter: v.Until,
		Subject: pkix.Name{CommonName: domains[0]}, DNSNames: domains, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}, BasicConstraintsValid: true,
	})
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	a := &Authority{CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem"), pool: f.pool}
	if err := errors.Join(writePEM(a.CertFile, "CERTIFICATE", der), writePEM(a.KeyFile, "PRIVATE KEY", secret)); err != nil {
		t.Fatal(err)
	}
	return a
}

// KeyPair is a certificate of the authority for a scripted server.
func (f *Federation) KeyPair(t testing.TB, domains ...string) tls.Certificate {
	t.Helper()
	a := f.Certificate(t, t.TempDir(), domains...)
	pair, err := tls.LoadX509KeyPair(a.CertFile, a.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// Announce lets others find the domains at a port of 127.0.0.1, with STARTTLS. The host is localhost, which ejabberd looks up without DNS.
func (f *Federation) Announce(t testing.TB, addr string, domains ...string) {
	f.announce(t, "_xmpp-server", addr, domains)
}

// AnnounceTLS is Announce for direct TLS, which others should prefer.
func (f *Federation) AnnounceTLS(t testing.TB, addr string, domains ...string) {
	f.announce(t, "_xmpps-server", addr, domains)
}

// RelayTo lets others find a domain, when it is announced, only through a relay that can cut the connections.
func (f *Federation) RelayTo(domain string) {
	if f.relays == nil {
		f.relays = map[string]*Relay{}
	}
	f.relays[domain] = nil
}

// Relay is the relay of RelayTo, once the domain was announced.
func (f *Federation) Relay(domain string) *Relay { return f.relays[domain] }

func (f *Federation) announce(t testing.TB, service, addr string, domains []string) {
	t.Helper()
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	priority := 10
	if service == "_xmpps-server" {
		priority = 5
	}
	for _, d := range domains {
		port := port
		if relay, ok := f.relays[d]; ok {
			if service == "_xmpps-server" {
				continue
			}
			if relay == nil {
				relay = StartRelay(t, "127.0.0.1:0", addr)
				f.relays[d] = relay
			}
			_, port, _ = net.SplitHostPort(relay.Addr)
		}
		f.DNS.Add(t, fmt.Sprintf("%s._tcp.%s. 60 SRV %d 0 %s localhost.", service, d, priority, port))
	}
}

// certificate is the one that the test has made, one of the federation, or one that a server has signed itself.
func (s *Setup) certificate(t testing.TB, dir string, domains ...string) *Authority {
	t.Helper()
	if s.Certificate != nil {
		return s.Certificate
	}
	if s.Federation != nil && !s.Dialback {
		return s.Federation.Certificate(t, dir, domains...)
	}
	return NewAuthority(t, dir, domains...)
}
