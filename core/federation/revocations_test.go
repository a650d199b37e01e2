package federation

import (
	"crypto/x509"
	"log/slog"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/identity/identitytest"
	"github.com/dragoman-im/dragoman/core/s2s/certificate"
)

// What the authority of another server has revoked is refused by the lists that the configuration names; other certificates are not, and neither is
// any without lists.
func TestRevocations(t *testing.T) {
	t.Parallel()
	a := identitytest.NewAuthority(t)
	good := a.Sign(t, &x509.Certificate{DNSNames: []string{"far.test"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	bad := a.Sign(t, &x509.Certificate{DNSNames: []string{"far.test"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	c := config.Default()
	c.Federation.Roots, c.Federation.CRL = a.File, []string{a.Revoke(t, time.Now().Add(time.Hour), bad)}
	trusted, err := roots(c.Federation.Roots)
	if err != nil {
		t.Fatal(err)
	}
	revoked, err := revocations(c.Federation.CRL, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	verify := func(chain []*x509.Certificate, revoked certificate.Revoked) error {
		return certificate.Verify(chain, "far.test", certificate.Evidence{Revoked: revoked}, trusted)
	}
	if err := verify(a.Chain(t, good)[:1], revoked); err != nil {
		t.Error(err)
	}
	if verify(a.Chain(t, bad)[:1], revoked) == nil {
		t.Error("a revoked certificate is valid")
	}
	none, err := revocations(nil, slog.New(slog.DiscardHandler))
	if err != nil || none != nil || verify(a.Chain(t, bad)[:1], none) != nil {
		t.Errorf("without lists: %v", err)
	}
	if _, err := revocations([]string{"/missing"}, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a missing file is accepted")
	}
}
