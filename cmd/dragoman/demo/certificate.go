package demo

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Files of the data directory.
const (
	authorityFile   = "demo-ca.crt" // what the machine is told to trust
	certificateFile = "demo.crt"
	keyFile         = "demo.key"
)

// How long the certificates are valid, and how long before their end others are made.
const (
	certificateLifetime = 90 * 24 * time.Hour
	certificateRenewal  = 7 * 24 * time.Hour
)

// authority is a certificate authority of the demo's own, made for one certificate.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey // never written: nobody can make another certificate for a machine that trusts this one
}

// openCertificate makes the server's certificate, or uses the one that an earlier demo made in this directory. Some clients, such as
// Dino, accept only certificates of an authority that the machine trusts.
func (s *localServer) openCertificate() error {
	data := s.config.Server.Data
	s.config.TLS.Certificate, s.config.TLS.Key = filepath.Join(data, certificateFile), filepath.Join(data, keyFile)
	if _, err := s.authority(); err == nil {
		if pair, err := tls.LoadX509KeyPair(s.config.TLS.Certificate, s.config.TLS.Key); err == nil && time.Now().Add(certificateRenewal).Before(pair.Leaf.NotAfter) {
			return nil
		}
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	ca, err := newAuthority()
	if err != nil {
		return fmt.Errorf("make a certificate: %w", err)
	}
	certificate, key, err := ca.issue(servedHost)
	if err != nil {
		return fmt.Errorf("make a certificate: %w", err)
	}
	return errors.Join(
		writePEM(filepath.Join(data, keyFile), "PRIVATE KEY", key, 0o600), writePEM(filepath.Join(data, certificateFile), "CERTIFICATE", certificate, 0o600),
		writePEM(filepath.Join(data, authorityFile), "CERTIFICATE", ca.certificate.Raw, 0o644))
}

// newAuthority makes an authority that can vouch for the demo's host alone, whoever has its key.
func newAuthority() (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	t, err := template("Dragoman demo, for " + servedHost + " only")
	if err != nil {
		return nil, err
	}
	t.IsCA, t.MaxPathLenZero, t.KeyUsage = true, true, x509.KeyUsageCertSign
	t.PermittedDNSDomainsCritical, t.PermittedDNSDomains = true, []string{servedHost} // RFC 5280 §4.2.1.10
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	return &authority{certificate, key}, err
}

// issue makes a certificate for a host, and its key.
func (a *authority) issue(host string) (certificate, key []byte, err error) {
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	t, err := template(host)
	if err != nil {
		return nil, nil, err
	}
	t.DNSNames = []string{host}
	t.KeyUsage, t.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	if certificate, err = x509.CreateCertificate(rand.Reader, t, a.certificate, secret.Public(), a.key); err != nil {
		return nil, nil, err
	}
	key, err = x509.MarshalPKCS8PrivateKey(secret)
	return certificate, key, err
}

func template(name string) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, BasicConstraintsValid: true,
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certificateLifetime),
	}, nil
}

func writePEM(file, kind string, der []byte, mode os.FileMode) error {
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode); err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	return nil
}

// authority is the certificate that clients have to trust.
func (s *localServer) authority() (*x509.Certificate, error) {
	return readCertificate(filepath.Join(s.config.Server.Data, authorityFile))
}

// certificate is the server's own.
func (s *localServer) certificate() (*x509.Certificate, error) {
	return readCertificate(s.config.TLS.Certificate)
}

func readCertificate(file string) (*x509.Certificate, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, fmt.Errorf("%s holds no certificate", file)
	}
	return x509.ParseCertificate(block.Bytes)
}

// fingerprint is the certificate's SHA-256 hash as clients show it.
func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	parts := make([]string, len(sum))
	for i, b := range sum {
		parts[i] = fmt.Sprintf("%02X", b)
	}
	return strings.Join(parts, ":")
}

// Where Debian looks for certificates that the machine is to trust beside those of its packages.
const trustedFile = "/usr/local/share/ca-certificates/dragoman-demo.crt"

// trustCommand makes Debian trust the demo's certificates.
func (s *localServer) trustCommand() string {
	file := filepath.Join(s.config.Server.Data, authorityFile)
	if whole, err := filepath.Abs(file); err == nil {
		file = whole
	}
	quoted := "'" + strings.ReplaceAll(file, "'", `'\''`) + "'"
	return "sudo install -m 644 " + quoted + " " + trustedFile + " && sudo update-ca-certificates"
}
