package socket

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
)

// ALPN protocols (XEP-0368 §4) of connections that begin with TLS.
const (
	ALPNClient = "xmpp-client"
	ALPNServer = "xmpp-server"
)

// Certificates returns the certificate for the server name (SNI) that a peer requested; name is empty
// if it requested none.
type Certificates func(name string) (*tls.Certificate, error)

// ErrNoCertificate is what Certificates returns for a host that is not served.
var ErrNoCertificate = errors.New("no certificate for this host")

// ServerTLS returns the configuration of the accepting side: TLS 1.2 or later, the certificate
// chosen by name. alpn is ALPNClient or ALPNServer for direct TLS and empty after STARTTLS.
// Session tickets stay on, with keys that crypto/tls rotates; Go never renegotiates as a
// server (RFC 6120 §5.4.3.5 is met by that).
//
// One configuration must serve all connections of a listener: session tickets of another configuration
// cannot be resumed.
func ServerTLS(certs Certificates, alpn string) *tls.Config {
	c := &tls.Config{
		MinVersion: tls.VersionTLS12, // RFC 7590 §3.1, RFC 9325
		// Dynamic record sizing helps browsers; here it only adds records.
		DynamicRecordSizingDisabled: true,
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if alpn != "" && len(hello.SupportedProtos) > 0 && !slices.Contains(hello.SupportedProtos, alpn) {
				return nil, fmt.Errorf("peer speaks %q only", hello.SupportedProtos)
			}
			return certs(hello.ServerName)
		},
	}
	if alpn != "" {
		c.NextProtos = []string{alpn} // XEP-0368 §4
	}
	return c
}

// exporterLabel and exporterSize are those of RFC 9266 §2.
const (
	exporterLabel = "EXPORTER-Channel-Binding"
	exporterSize  = 32
)

// Exporter returns the channel binding tls-exporter of a connection after its handshake
// (RFC 9266). It fails if the connection's secrets may not be unique: TLS 1.2 without
// the extended master secret.
func Exporter(state tls.ConnectionState) ([]byte, error) {
	if !state.HandshakeComplete {
		return nil, errors.New("channel binding before the handshake")
	}
	b, err := state.ExportKeyingMaterial(exporterLabel, nil, exporterSize)
	if err != nil {
		return nil, fmt.Errorf("channel binding: %w", err)
	}
	return b, nil
}

// EndPoint returns the channel binding tls-server-end-point (RFC 5929 §4.1) of a connection on
// which the server presented cert. A server obtains cert from its Certificates with
// the ServerName of the connection.
func EndPoint(cert *tls.Certificate) ([]byte, error) {
	leaf := cert.Leaf
	if leaf == nil {
		var err error
		if len(cert.Certificate) == 0 {
			return nil, ErrNoCertificate
		}
		if leaf, err = x509.ParseCertificate(cert.Certificate[0]); err != nil {
			return nil, fmt.Errorf("channel binding: %w", err)
		}
	}
	switch leaf.SignatureAlgorithm {
	case x509.SHA384WithRSA, x509.SHA384WithRSAPSS, x509.ECDSAWithSHA384:
		sum := sha512.Sum384(leaf.Raw)
		return sum[:], nil
	case x509.SHA512WithRSA, x509.SHA512WithRSAPSS, x509.ECDSAWithSHA512:
		sum := sha512.Sum512(leaf.Raw)
		return sum[:], nil
	case x509.PureEd25519:
		return nil, errors.New("channel binding: not defined for the signature algorithm of the certificate")
	}
	sum := sha256.Sum256(leaf.Raw) // RFC 5929 §4.1: also in place of MD5 and SHA-1
	return sum[:], nil
}
