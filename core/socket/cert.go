package socket

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/idna"

	"github.com/dragoman-im/dragoman/core/keyfile"
)

// How long our own certificate is valid, and how long before its end it is replaced.
const (
	ownLifetime = 365 * 24 * time.Hour
	ownRenewal  = 30 * 24 * time.Hour
)

// SelfSignedCertificate is a self-signed certificate for the hosts that have no other. It is
// kept in a file, because clients may have pinned it, and replaced before it expires.
type SelfSignedCertificate struct {
	path  string
	hosts []string
	now   func() time.Time

	mu   sync.Mutex
	cert *tls.Certificate
}

// NewSelfSignedCertificate takes the certificate from the file, or makes one if that
// does not exist, lacks a host or expires soon. The file holds the key: mode 0600. Another one beside it, with the extension .crt,
// holds the certificate alone.
func NewSelfSignedCertificate(path string, hosts []string) (*SelfSignedCertificate, error) {
	o := &SelfSignedCertificate{path: path, now: time.Now}
	for _, h := range hosts {
		ascii, err := ASCIIHost(h)
		if err != nil {
			return nil, err
		}
		o.hosts = append(o.hosts, ascii)
	}
	if len(o.hosts) == 0 {
		return nil, errors.New("certificate for no host")
	}
	if _, err := o.Certificate(""); err != nil {
		return o, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o, o.publish()
}

// Certificate returns the certificate whatever the name is; the method is a Certificates. It replaces a
// certificate that expires soon.
func (o *SelfSignedCertificate) Certificate(string) (*tls.Certificate, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.cert == nil {
		cert, err := readPair(o.path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("read own certificate: %w", err)
		}
		o.cert = cert
	}
	if o.cert != nil && o.fits(o.cert.Leaf) {
		return o.cert, nil
	}
	cert, err := o.create()
	if err != nil {
		if o.cert != nil && o.now().Before(o.cert.Leaf.NotAfter) {
			return o.cert, nil // it is still valid
		}
		return nil, fmt.Errorf("make own certificate: %w", err)
	}
	o.cert = cert
	_ = o.publish() // the certificate can be used without; a start says why it could not be written
	return cert, nil
}

// publicSuffix replaces the extension of the file with the key in the name of the file with the certificate alone.
const publicSuffix = ".crt"

// publish writes the certificate without its key, for whoever wants to trust it, on this machine or another one. The lock is held.
func (o *SelfSignedCertificate) publish() error {
	path := strings.TrimSuffix(o.path, filepath.Ext(o.path)) + publicSuffix
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: o.cert.Certificate[0]})
	if old, err := os.ReadFile(path); err != nil || !bytes.Equal(old, text) {
		if err := keyfile.Write(path, text, keyfile.Public); err != nil {
			return fmt.Errorf("write public certificate: %w", err)
		}
	}
	return nil
}

func (o *SelfSignedCertificate) fits(leaf *x509.Certificate) bool {
	now := o.now()
	if now.Before(leaf.NotBefore) || now.Add(ownRenewal).After(leaf.NotAfter) {
		return false
	}
	return !slices.ContainsFunc(o.hosts, func(h string) bool { return leaf.VerifyHostname(bracketed(h)) != nil })
}

func (o *SelfSignedCertificate) create() (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	now := o.now()
	t := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: o.hosts[0]},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(ownLifetime),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}
	for _, h := range o.hosts {
		if ip := net.ParseIP(h); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, h) // RFC 6120 §13.7.1.2.1
		}
	}
	if len(t.Subject.CommonName) > 64 { // RFC 5280 ub-common-name
		t.Subject.CommonName = ""
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	text = append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})...)
	if err := keyfile.Write(o.path, text, keyfile.Private); err != nil {
		return nil, err
	}
	return pair(text)
}

func readPair(path string) (*tls.Certificate, error) {
	text, err := keyfile.Read(path)
	if err != nil {
		return nil, err
	}
	cert, err := pair(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return cert, nil
}

func pair(text []byte) (*tls.Certificate, error) {
	cert, err := tls.X509KeyPair(text, text)
	if err != nil {
		return nil, err
	}
	return &cert, nil
}

// ASCIIHost returns a host in the form that certificates and TLS use.
func ASCIIHost(host string) (string, error) {
	if ip := net.ParseIP(host); ip != nil {
		return ip.String(), nil
	}
	if len(host) > 2 && host[0] == '[' {
		if ip := net.ParseIP(host[1 : len(host)-1]); ip != nil {
			return ip.String(), nil
		}
	}
	ascii, err := idna.Lookup.ToASCII(host)
	if err != nil {
		return "", fmt.Errorf("certificate for %q: %w", host, err)
	}
	return ascii, nil
}

// bracketed writes an IPv6 address in the form that VerifyHostname recognises.
func bracketed(host string) string {
	if ip := net.ParseIP(host); ip != nil && ip.To4() == nil {
		return "[" + host + "]"
	}
	return host
}
