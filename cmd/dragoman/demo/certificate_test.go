package demo

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The demo's authority vouches for its host and for no other one, and its key is written nowhere. A kept directory keeps the
// certificate.
func TestCertificate(t *testing.T) {
	t.Parallel()
	s := &localServer{}
	s.config.Server.Data = filepath.Join(t.TempDir(), "it's data")
	if err := s.openCertificate(); err != nil {
		t.Fatal(err)
	}
	ca, err := s.authority()
	if err != nil {
		t.Fatal(err)
	}
	own, err := s.certificate()
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	if _, err := own.Verify(x509.VerifyOptions{Roots: roots, DNSName: servedHost}); err != nil {
		t.Error(err)
	}
	other, err := newAuthority()
	if err != nil {
		t.Fatal(err)
	}
	der, _, err := other.issue("example.org")
	if err != nil {
		t.Fatal(err)
	}
	forged, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	roots.AddCert(other.certificate)
	if _, err := forged.Verify(x509.VerifyOptions{Roots: roots, DNSName: "example.org"}); err == nil {
		t.Error("the authority vouches for another host")
	}
	files, err := os.ReadDir(s.config.Server.Data)
	if err != nil || len(files) != 3 {
		t.Errorf("files %v, %v", files, err)
	}
	if err := s.openCertificate(); err != nil {
		t.Fatal(err)
	}
	if again, err := s.certificate(); err != nil || !again.Equal(own) {
		t.Error("another certificate at the second start", err)
	}
	if c := s.trustCommand(); !strings.Contains(c, `/it'\''s data/demo-ca.crt' `+trustedFile) {
		t.Error(c)
	}
}
