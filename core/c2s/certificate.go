package c2s

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
)

// ClientCertificates say which certificates of clients prove an account (SASL EXTERNAL, XEP-0178 §2).
type ClientCertificates struct {
	Roots *x509.CertPool // nil: clients are not asked for a certificate
	// Email makes a certificate without an XMPP address stand for the account that has its e-mail address.
	Email bool
	// Revoked returns an error if a certificate of a chain, which ends with one of Roots, was revoked; nil: nobody knows.
	Revoked func(chain []*x509.Certificate) error
}

// revokedEvery is how often the certificate of a session is compared again with what was revoked.
const revokedEvery = 30 * time.Second

// ask makes a TLS configuration ask clients for a certificate. One that is not accepted does not end the connection: its client can
// still use a password.
func (k ClientCertificates) ask(c *tls.Config) {
	if k.Roots != nil {
		c.ClientAuth, c.ClientCAs = tls.RequestClientCert, k.Roots
	}
}

// certificate is a verified certificate of a client.
type certificate struct {
	addresses []jid.JID
	expires   time.Time
	recheck   *sasl.Recheck // nil if it cannot be revoked
}

// verify returns what a client's certificate proves; nil if it has none or a wrong one.
func (k ClientCertificates) verify(state tls.ConnectionState) *certificate {
	if k.Roots == nil || len(state.PeerCertificates) == 0 {
		return nil
	}
	leaf := *state.PeerCertificates[0]
	addresses, err := xmppAddresses(&leaf)
	if err != nil {
		return nil
	}
	// The library does not know these names, and so refuses them if they are marked as critical.
	leaf.UnhandledCriticalExtensions = slices.DeleteFunc(slices.Clone(leaf.UnhandledCriticalExtensions), oidAltName.Equal)
	between := x509.NewCertPool()
	for _, c := range state.PeerCertificates[1:] {
		between.AddCert(c)
	}
	chains, err := leaf.Verify(x509.VerifyOptions{Roots: k.Roots, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	if err != nil {
		return nil
	}
	chain, recheck := k.unrevoked(chains)
	if chain == nil {
		return nil
	}
	if k.Email && len(addresses) == 0 {
		for _, text := range leaf.EmailAddresses {
			if address, err := jid.Parse(text); err == nil && address.IsBare() && address.Local() != "" {
				addresses = append(addresses, address)
			}
		}
	}
	cert := &certificate{addresses: addresses, expires: leaf.NotAfter, recheck: recheck}
	for _, c := range chain {
		if c.NotAfter.Before(cert.expires) {
			cert.expires = c.NotAfter
		}
	}
	return cert
}

// unrevoked returns a chain of which no certificate was revoked, and what checks that again; nil if there is none.
func (k ClientCertificates) unrevoked(chains [][]*x509.Certificate) ([]*x509.Certificate, *sasl.Recheck) {
	if k.Revoked == nil {
		return chains[0], nil
	}
	for _, chain := range chains {
		if k.Revoked(chain) == nil {
			return chain, &sasl.Recheck{Every: revokedEvery, Check: func(context.Context) error { return k.Revoked(chain) }}
		}
	}
	return nil, nil
}

var (
	oidAltName  = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidXMPPAddr = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 5} // RFC 6120 §13.7.1.4
)

var errAltName = errors.New("malformed subjectAltName")

// xmppAddresses returns the XMPP addresses of a certificate: of its subjectAltName only, and never of a text in its subject, which
// whoever asks for a certificate can often choose (CVE-2025-59154).
func xmppAddresses(c *x509.Certificate) ([]jid.JID, error) {
	var found []jid.JID
	for _, e := range c.Extensions {
		if !e.Id.Equal(oidAltName) {
			continue
		}
		var names []asn1.RawValue
		if rest, err := asn1.Unmarshal(e.Value, &names); err != nil || len(rest) > 0 {
			return nil, errAltName
		}
		for _, n := range names {
			if n.Class != asn1.ClassContextSpecific || n.Tag != 0 { // RFC 5280 §4.2.1.6: otherName
				continue
			}
			address, ok, err := xmppAddress(n.Bytes)
			if err != nil {
				return nil, err
			}
			if ok && !slices.Contains(found, address) {
				found = append(found, address)
			}
		}
	}
	return found, nil
}

// xmppAddress parses an otherName; false if it is of another type.
func xmppAddress(der []byte) (address jid.JID, ok bool, err error) {
	var kind asn1.ObjectIdentifier
	rest, err := asn1.Unmarshal(der, &kind)
	if err != nil {
		return jid.JID{}, false, errAltName
	}
	if !kind.Equal(oidXMPPAddr) {
		return jid.JID{}, false, nil
	}
	var explicit, value asn1.RawValue
	if rest, err = asn1.Unmarshal(rest, &explicit); err != nil || len(rest) > 0 || explicit.Class != asn1.ClassContextSpecific || explicit.Tag != 0 {
		return jid.JID{}, false, errAltName
	}
	if rest, err = asn1.Unmarshal(explicit.Bytes, &value); err != nil || len(rest) > 0 || value.Class != asn1.ClassUniversal || value.Tag != asn1.TagUTF8String {
		return jid.JID{}, false, errAltName
	}
	if !utf8.Valid(value.Bytes) || bytes.IndexByte(value.Bytes, 0) >= 0 || strings.Contains(string(value.Bytes), "*") {
		return jid.JID{}, false, errAltName
	}
	if address, err = jid.Parse(string(value.Bytes)); err != nil || !address.IsBare() || address.Local() == "" {
		return jid.JID{}, false, errAltName
	}
	return address, true, nil
}

// external returns the sasl.Conn.External of the connection, nil if its client has no certificate for an account of the host.
func (c *conn) external() func(context.Context, string) (jid.JID, error) {
	cert := c.negotiation.certificate
	if cert == nil || c.host == nil {
		return nil
	}
	var of []jid.JID
	for _, a := range cert.addresses {
		if a.Domain() == c.host.domain {
			of = append(of, a)
		}
	}
	if len(of) == 0 {
		return nil
	}
	return func(_ context.Context, authzid string) (jid.JID, error) {
		for _, a := range of {
			if a.String() == authzid || authzid == "" && len(of) == 1 { // XEP-0178 §2, step 11
				return a, nil
			}
		}
		return jid.JID{}, &sasl.Failure{Condition: sasl.InvalidAuthzid, Cause: errors.New("no address of the certificate, or one of several is to be named")}
	}
}
