package certificate

import (
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// Limits of what a peer makes us examine.
const (
	maxChain  = 10   // certificates
	maxNames  = 1000 // of one certificate; those beyond are not examined
	clockSkew = 5 * time.Minute
)

// Reasons why a certificate is refused.
var (
	ErrNone   = errors.New("the peer has sent no certificate")
	ErrChain  = errors.New("the peer has sent too many certificates")
	ErrName   = errors.New("the certificate is not for this domain")
	ErrTLSA   = errors.New("the certificate does not match the TLSA records of the server")
	errDomain = errors.New("the domain cannot have a certificate")
)

// Evidence is what a domain publishes about its certificates beside the certificates themselves. The zero value is none.
type Evidence struct {
	ServerName   string              // what TLS asks for (SNI) if it is not the domain
	Names        []string            // hosts to which the domain was delegated securely; a certificate may be for them
	TLSA         []TLSA              // of the server that was reached, only if DNSSEC protects them and the SRV record that names the server
	Fingerprints []Fingerprint       // of acceptable certificates (POSH)
	Keys         [][sha256.Size]byte // hashes of acceptable public keys (XEP-0487)
	Lookup       func() Evidence     // returns evidence that takes a while to fetch; called only for a certificate that is refused without it
	Revoked      Revoked             // says which certificates were revoked; nil: none
	Initiator    bool                // the peer has opened the connection: it is the client of TLS
	Now          time.Time           // the time of the check; zero: now
}

// Revoked returns an error if a certificate of a path was revoked. The path ends with an authority that is trusted.
type Revoked func(path []*x509.Certificate) error

// Verify checks that a peer may act for a domain with its certificate, the first of the chain. Its error says why the peer may
// not. Roots are the trusted authorities; nil means those of the system.
func Verify(chain []*x509.Certificate, domain string, e Evidence, roots *x509.CertPool) error {
	if e.Now.IsZero() {
		e.Now = time.Now()
	}
	usable := usableTLSA(e.TLSA)
	binding := len(usable) > 0 && !e.Initiator // RFC 7673 §4.2: one has to match, whatever else is true
	c, err := newCheck(chain, domain, e, roots)
	switch {
	case err != nil && binding: // or a peer could avoid the comparison
		return fmt.Errorf("%w: %w", ErrTLSA, err)
	case err != nil:
		return err
	case binding:
		return c.matchTLSA(usable)
	}
	if err = c.trusted(roots); err == nil || c.published(e) {
		return nil
	}
	if e.Lookup == nil {
		return err
	}
	more := e.Lookup()
	if c.published(more) {
		return nil
	}
	if len(more.Names) > 0 {
		c.hosts = append(c.hosts, canonical(more.Names)...)
		if c.trusted(roots) == nil {
			return nil
		}
	}
	return err
}

// check is the verification of one certificate.
type check struct {
	leaf      *x509.Certificate
	chain     []*x509.Certificate
	domain    string   // A-labels, lower case
	hosts     []string // further names, of the same form
	options   x509.VerifyOptions
	revoked   Revoked
	presented names
}

func newCheck(chain []*x509.Certificate, domain string, e Evidence, roots *x509.CertPool) (*check, error) {
	switch {
	case len(chain) == 0:
		return nil, ErrNone
	case len(chain) > maxChain:
		return nil, ErrChain
	}
	ascii, err := ASCII(domain)
	if err != nil {
		return nil, err
	}
	c := &check{chain: chain, domain: ascii, hosts: canonical(e.Names), revoked: e.Revoked, presented: namesOf(chain[0])}
	c.leaf = withoutUnhandledNames(chain[0])
	c.options = x509.VerifyOptions{
		Roots: roots, Intermediates: x509.NewCertPool(), CurrentTime: within(e.Now, c.leaf),
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if e.Initiator {
		// Authorities that sign for servers only are as good here: what counts is that the peer has the domain's key.
		c.options.KeyUsages = append(c.options.KeyUsages, x509.ExtKeyUsageClientAuth)
	}
	for _, intermediate := range chain[1:] {
		c.options.Intermediates.AddCert(intermediate)
	}
	return c, nil
}

// trusted returns nil if a path leads from the certificate to a trusted root and its names include the domain.
func (c *check) trusted(roots *x509.CertPool) error {
	_, err := c.paths(roots)
	return err
}

// paths returns the valid paths to roots of a certificate for the domain.
func (c *check) paths(roots *x509.CertPool) ([][]*x509.Certificate, error) {
	options := c.options
	options.Roots = roots
	found, err := c.leaf.Verify(options)
	if err != nil {
		return nil, fmt.Errorf("verify certificate: %w", err)
	}
	if !c.named(found) {
		return nil, ErrName
	}
	return c.valid(found)
}

// valid returns the paths on which no certificate was revoked (RFC 5280 §6.3).
func (c *check) valid(all [][]*x509.Certificate) (valid [][]*x509.Certificate, err error) {
	if c.revoked == nil {
		return all, nil
	}
	for _, path := range all {
		if failed := c.revoked(path); failed != nil {
			err = failed
			continue
		}
		valid = append(valid, path)
	}
	if len(valid) > 0 {
		err = nil
	}
	return valid, err
}

// published reports whether the domain has published the certificate, its key or its authority.
func (c *check) published(e Evidence) bool {
	usable := usableTLSA(e.TLSA)
	return len(usable) > 0 && c.matchTLSA(usable) == nil || matchFingerprint(c.leaf, e.Fingerprints) || matchKey(c.leaf, e.Keys)
}

// within moves a time by at most clockSkew to where the certificate is valid: the clocks of two machines differ.
func within(now time.Time, c *x509.Certificate) time.Time {
	switch {
	case now.Before(c.NotBefore) && c.NotBefore.Sub(now) <= clockSkew:
		return c.NotBefore
	case now.After(c.NotAfter) && now.Sub(c.NotAfter) <= clockSkew:
		return c.NotAfter
	default:
		return now
	}
}
