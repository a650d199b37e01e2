package certificate

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"errors"
	"testing"
	"time"
)

func sum256(b []byte) []byte {
	s := sha256.Sum256(b)
	return s[:]
}

func sum512(b []byte) []byte {
	s := sha512.Sum512(b)
	return s[:]
}

// TestTLSA compares certificates with records of DNSSEC (RFC 6698, RFC 7673 §4).
func TestTLSA(t *testing.T) {
	t.Parallel()
	root, own := authority(t, "root", nil), authority(t, "own root", nil)
	trusted := generate(t, x509.Certificate{DNSNames: []string{"a.example"}}, &root)
	private := generate(t, x509.Certificate{DNSNames: []string{"a.example"}}, &own)
	hosted := generate(t, x509.Certificate{DNSNames: []string{"host.example"}}, &own)
	expired := generate(t, x509.Certificate{DNSNames: []string{"b.example"}, NotAfter: time.Now().Add(-time.Hour / 2)}, nil)
	rooted := func(by made) TLSA { return TLSA{usageDANETA, selectCertificate, matchSHA256, sum256(by.Raw)} }
	for _, c := range []struct {
		name    string
		chain   []*x509.Certificate
		hosts   []string
		records []TLSA
		want    bool
	}{
		{"DANE-EE, key", chain(private), nil, []TLSA{{usageDANEEE, selectKey, matchSHA256, sum256(private.RawSubjectPublicKeyInfo)}}, true},
		{"DANE-EE, certificate", chain(private), nil, []TLSA{{usageDANEEE, selectCertificate, matchSHA512, sum512(private.Raw)}}, true},
		{"DANE-EE, whole certificate", chain(private), nil, []TLSA{{usageDANEEE, selectCertificate, matchFull, private.Raw}}, true},
		{"DANE-EE, neither names nor dates count", chain(expired), nil, []TLSA{{usageDANEEE, selectKey, matchSHA256, sum256(expired.RawSubjectPublicKeyInfo)}}, true},
		{"DANE-EE of another key, although the certificate is trusted", chain(trusted), nil, []TLSA{{usageDANEEE, selectKey, matchSHA256, sum256(private.RawSubjectPublicKeyInfo)}}, false},
		{"second of two records", chain(private), nil, []TLSA{rooted(root), {usageDANEEE, selectKey, matchSHA256, sum256(private.RawSubjectPublicKeyInfo)}}, true},
		{"DANE-TA", chain(private, own), nil, []TLSA{rooted(own)}, true},
		{"DANE-TA is not in the chain", chain(private), nil, []TLSA{rooted(own)}, false},
		{"DANE-TA, whole authority", chain(private), nil, []TLSA{{usageDANETA, selectCertificate, matchFull, own.Raw}}, true},
		{"DANE-TA, names count", chain(hosted, own), nil, []TLSA{rooted(own)}, false},
		{"DANE-TA, name of the host", chain(hosted, own), []string{"host.example"}, []TLSA{rooted(own)}, true},
		{"DANE-TA of another authority", chain(private, own), nil, []TLSA{rooted(root)}, false},
		{"PKIX-EE", chain(trusted), nil, []TLSA{{usagePKIXEE, selectKey, matchSHA256, sum256(trusted.RawSubjectPublicKeyInfo)}}, true},
		{"PKIX-EE without a trusted root", chain(private), nil, []TLSA{{usagePKIXEE, selectKey, matchSHA256, sum256(private.RawSubjectPublicKeyInfo)}}, false},
		{"PKIX-TA", chain(trusted), nil, []TLSA{{usagePKIXTA, selectKey, matchSHA256, sum256(root.RawSubjectPublicKeyInfo)}}, true},
		{"PKIX-TA of another authority", chain(trusted), nil, []TLSA{{usagePKIXTA, selectKey, matchSHA256, sum256(own.RawSubjectPublicKeyInfo)}}, false},
		{"records that cannot be used", chain(trusted), nil, []TLSA{{4, 0, 1, sum256(nil)}, {3, 2, 1, sum256(nil)}, {3, 1, 3, sum256(nil)}, {3, 1, 1, nil}, {3, 1, 2, sum256(nil)}}, true},
		{"no records", chain(trusted), nil, nil, true},
		{"no records, not trusted", chain(private), nil, nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := Verify(c.chain, "a.example", Evidence{TLSA: c.records, Names: c.hosts}, pool(root))
			if c.want != (err == nil) {
				t.Errorf("got %v, want accepted: %v", err, c.want)
			}
		})
	}
	// Records name what answers at a port; who opens a connection may have a certificate of its own.
	other := []TLSA{{usageDANEEE, selectKey, matchSHA256, sum256(private.RawSubjectPublicKeyInfo)}}
	if err := Verify(chain(trusted), "a.example", Evidence{TLSA: other, Initiator: true}, pool(root)); err != nil {
		t.Error(err)
	}
	if err := Verify(chain(private), "a.example", Evidence{TLSA: other, Initiator: true}, pool(root)); err != nil {
		t.Error(err)
	}
}

// TestDelegatedNames accepts a certificate of a host only where the delegation to it is secure (RFC 7673 §4.1).
func TestDelegatedNames(t *testing.T) {
	t.Parallel()
	root := authority(t, "root", nil)
	leaf := generate(t, x509.Certificate{DNSNames: []string{"host.example"}}, &root)
	if err := Verify(chain(leaf), "a.example", Evidence{}, pool(root)); !errors.Is(err, ErrName) {
		t.Errorf("got %v, want %v", err, ErrName)
	}
	if err := Verify(chain(leaf), "a.example", Evidence{Names: []string{"other.example", "Host.Example."}}, pool(root)); err != nil {
		t.Error(err)
	}
	srv := generate(t, withNames(t, srvID("_xmpp-server.host.example")), &root)
	if err := Verify(chain(srv), "a.example", Evidence{Names: []string{"host.example"}}, pool(root)); err == nil {
		t.Error("an SRV-ID of the host was accepted: it is for the domain")
	}
}

// TestFingerprints accepts certificates by what the domain publishes over HTTPS (RFC 7711 §3.3, XEP-0487 §2).
func TestFingerprints(t *testing.T) {
	t.Parallel()
	leaf, other := generate(t, x509.Certificate{DNSNames: []string{"host.example"}}, nil), generate(t, x509.Certificate{}, nil)
	for _, c := range []struct {
		name     string
		evidence Evidence
		want     bool
	}{
		{"SHA-256", Evidence{Fingerprints: []Fingerprint{{"sha-256", sum256(other.Raw)}, {"sha-256", sum256(leaf.Raw)}}}, true},
		{"SHA-512", Evidence{Fingerprints: []Fingerprint{{"sha-512", sum512(leaf.Raw)}}}, true},
		{"another certificate", Evidence{Fingerprints: []Fingerprint{{"sha-256", sum256(other.Raw)}}}, false},
		{"the wrong hash", Evidence{Fingerprints: []Fingerprint{{"sha-512", sum256(leaf.Raw)}}}, false},
		{"unknown hash", Evidence{Fingerprints: []Fingerprint{{"md5", sum256(leaf.Raw)}, {"", nil}}}, false},
		{"key", Evidence{Keys: [][32]byte{sha256.Sum256(leaf.RawSubjectPublicKeyInfo)}}, true},
		{"another key", Evidence{Keys: [][32]byte{sha256.Sum256(other.RawSubjectPublicKeyInfo)}}, false},
		{"found out late", Evidence{Lookup: func() Evidence { return Evidence{Fingerprints: []Fingerprint{{"sha-256", sum256(leaf.Raw)}}} }}, true},
		{"nothing found out late", Evidence{Lookup: func() Evidence { return Evidence{} }}, false},
	} {
		if err := Verify(chain(leaf), "a.example", c.evidence, x509.NewCertPool()); c.want != (err == nil) {
			t.Errorf("%s: got %v, want accepted: %v", c.name, err, c.want)
		}
	}
}

// TestLookupOnlyIfNeeded asks nobody about a certificate that is trusted.
func TestLookupOnlyIfNeeded(t *testing.T) {
	t.Parallel()
	root := authority(t, "root", nil)
	leaf := generate(t, x509.Certificate{DNSNames: []string{"a.example"}}, &root)
	asked := func() Evidence {
		t.Error("what the domain publishes was looked up")
		return Evidence{}
	}
	if err := Verify(chain(leaf), "a.example", Evidence{Lookup: asked}, pool(root)); err != nil {
		t.Error(err)
	}
}
