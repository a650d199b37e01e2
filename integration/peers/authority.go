package peers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Authority is a certificate for the domains of one test, signed by itself.
type Authority struct {
	CertFile string // PEM
	KeyFile  string // PEM
	pool     *x509.CertPool
}

// NewAuthority writes a certificate and its key to dir.
func NewAuthority(t testing.TB, dir string, domains ...string) *Authority {
	t.Helper()
	a, err := MakeAuthority(dir, domains...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// MakeAuthority is NewAuthority outside of tests.
func MakeAuthority(dir string, domains ...string) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(time.Now().UnixNano()),
		Subject:               pkix.Name{CommonName: domains[0]},
		DNSNames:              domains,
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	a := &Authority{CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem"), pool: x509.NewCertPool()}
	a.pool.AddCert(cert)
	return a, errors.Join(writePEM(a.CertFile, "CERTIFICATE", der), writePEM(a.KeyFile, "PRIVATE KEY", secret))
}

// Client is a configuration that trusts this certificate and nothing else.
func (a *Authority) Client() *tls.Config {
	return &tls.Config{RootCAs: a.pool, MinVersion: tls.VersionTLS12}
}

// Unchecked is a configuration that accepts any certificate: for clients of a server whose certificate is wrong on purpose.
func (a *Authority) Unchecked() *tls.Config {
	c := a.Client()
	c.InsecureSkipVerify = true
	return c
}

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
