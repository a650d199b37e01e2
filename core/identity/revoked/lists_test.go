package revoked

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/identity/identitytest"
	"github.com/dragoman-im/dragoman/core/sasl"
)

func open(t *testing.T, accept bool, files ...string) *Lists {
	t.Helper()
	l, err := New(Options{Files: files, Open: accept, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func sign(t *testing.T, a *identitytest.Authority) tls.Certificate {
	return a.Sign(t, &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
}

// TestCheck compares certificates with lists that are valid, out of date, or of another authority of the same name.
func TestCheck(t *testing.T) {
	t.Parallel()
	a, other := identitytest.NewAuthority(t), identitytest.NewAuthority(t)
	good, bad, foreign := sign(t, a), sign(t, a), sign(t, other)
	valid := a.Revoke(t, time.Now().Add(time.Hour), bad)
	b := identitytest.NewAuthority(t)
	old, gone := sign(t, b), sign(t, b)
	outdated := b.Revoke(t, time.Now().Add(-time.Minute), gone)
	for _, c := range []struct {
		name         string
		of           *identitytest.Authority
		cert         tls.Certificate
		closed, open bool // whether it is accepted
	}{
		{"not listed", a, good, true, true},
		{"listed", a, bad, false, false},
		{"no list of the authority", other, foreign, false, true},
		{"outdated list", b, old, false, true},
		{"listed in an outdated list", b, gone, false, false},
	} {
		for accept, want := range map[bool]bool{false: c.closed, true: c.open} {
			err := open(t, accept, valid, outdated).Check(c.of.Chain(t, c.cert))
			if (err == nil) != want || err != nil && !errors.Is(err, sasl.ErrRefused) {
				t.Errorf("%s, open %t: %v", c.name, accept, err)
			}
		}
	}
}

// TestReload replaces a list while it is in use, then by something that is none.
func TestReload(t *testing.T) {
	t.Parallel()
	a := identitytest.NewAuthority(t)
	cert := sign(t, a)
	file := a.Revoke(t, time.Now().Add(time.Hour))
	l := open(t, false, file)
	at := time.Now()
	later := func() {
		at = at.Add(2 * lookEvery)
		l.now = func() time.Time { return at }
	}
	check := func(want bool) {
		t.Helper()
		later()
		if err := l.Check(a.Chain(t, cert)); (err == nil) != want {
			t.Error(err)
		}
	}
	check(true)
	a.Revoke(t, time.Now().Add(time.Hour), cert)
	check(false)
	if err := os.WriteFile(file, []byte("half a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	check(false)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	check(false)
	a.Revoke(t, time.Now().Add(2*time.Hour))
	check(true)
}

// TestUnusableLists refuses files that are no lists, or lists with critical extensions (RFC 5280 §5.2).
func TestUnusableLists(t *testing.T) {
	t.Parallel()
	a := identitytest.NewAuthority(t)
	dir := t.TempDir()
	critical := pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true, Value: []byte{0x30, 0x00}}
	list := func(template x509.RevocationList) []byte {
		template.Number, template.ThisUpdate, template.NextUpdate = big.NewInt(1), time.Now(), time.Now().Add(time.Hour)
		cert, key := a.Key(t)
		der, err := x509.CreateRevocationList(rand.Reader, &template, cert, key)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	for name, text := range map[string][]byte{
		"empty":                  {},
		"nonsense":               []byte("nonsense"),
		"another PEM":            pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: list(x509.RevocationList{})}),
		"critical extension":     list(x509.RevocationList{ExtraExtensions: []pkix.Extension{critical}}),
		"critical in an entry":   list(x509.RevocationList{RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: big.NewInt(1), RevocationTime: time.Now(), ExtraExtensions: []pkix.Extension{critical}}}}),
		"good one, then a wrong": append(pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: list(x509.RevocationList{})}), pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: []byte{1}})...),
	} {
		file := filepath.Join(dir, "list")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := New(Options{Files: []string{file}, Log: slog.New(slog.DiscardHandler)}); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	file := filepath.Join(dir, "der")
	if err := os.WriteFile(file, list(x509.RevocationList{}), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := open(t, false, file).Check(a.Chain(t, sign(t, a))); err != nil {
		t.Error("DER form:", err)
	}
}
