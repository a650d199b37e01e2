package certificate

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"crypto/x509"
	"fmt"
	"slices"
)

// Fields of TLSA records (RFC 6698 §2.1, RFC 7218).
const (
	usagePKIXTA = 0 // an authority of the path to a trusted root
	usagePKIXEE = 1 // the certificate itself, which has a path to a trusted root
	usageDANETA = 2 // the root of the path
	usageDANEEE = 3 // the certificate itself

	selectCertificate = 0
	selectKey         = 1

	matchFull   = 0
	matchSHA256 = 1
	matchSHA512 = 2

	maxTLSA = 32 // records that are compared
)

// TLSA is a record for DANE (RFC 6698 §2.1).
type TLSA struct {
	Usage, Selector, Matching uint8
	Data                      []byte
}

// usable reports whether the record is of a kind that exists; others are passed over (RFC 6698 §4.1).
func (r TLSA) usable() bool {
	if r.Usage > usageDANEEE || r.Selector > selectKey {
		return false
	}
	switch r.Matching {
	case matchFull:
		return len(r.Data) > 0
	case matchSHA256:
		return len(r.Data) == sha256.Size
	case matchSHA512:
		return len(r.Data) == sha512.Size
	default:
		return false
	}
}

func usableTLSA(all []TLSA) (usable []TLSA) {
	for _, r := range all[:min(len(all), maxTLSA)] {
		if r.usable() {
			usable = append(usable, r)
		}
	}
	return usable
}

// matches reports whether the record is that of a certificate.
func (r TLSA) matches(c *x509.Certificate) bool {
	selected := c.Raw
	if r.Selector == selectKey {
		selected = c.RawSubjectPublicKeyInfo
	}
	switch r.Matching {
	case matchSHA256:
		sum := sha256.Sum256(selected)
		return subtle.ConstantTimeCompare(sum[:], r.Data) == 1
	case matchSHA512:
		sum := sha512.Sum512(selected)
		return subtle.ConstantTimeCompare(sum[:], r.Data) == 1
	default:
		return bytes.Equal(selected, r.Data)
	}
}

// matchTLSA returns nil if one of the records accepts the certificate.
func (c *check) matchTLSA(records []TLSA) error {
	err := ErrTLSA
	for _, r := range records {
		switch r.Usage {
		case usageDANEEE:
			if r.matches(c.leaf) { // RFC 7673 §4.2, RFC 7671 §5.1: neither names nor dates count
				return nil
			}
		case usageDANETA:
			if c.rootedIn(r) {
				return nil
			}
		case usagePKIXEE, usagePKIXTA:
			if c.pinned(r) {
				return nil
			}
		}
	}
	if len(records) > 0 {
		err = fmt.Errorf("%w (%d)", err, len(records))
	}
	return err
}

// rootedIn reports whether the path of the certificate ends at the authority that the record names (RFC 7671 §5.2).
// The authority is part of the chain, but for a record that holds it whole.
func (c *check) rootedIn(r TLSA) bool {
	roots := x509.NewCertPool()
	found := false
	for _, authority := range c.chain[1:] {
		if r.matches(authority) {
			roots.AddCert(authority)
			found = true
		}
	}
	if r.Selector == selectCertificate && r.Matching == matchFull {
		if authority, err := x509.ParseCertificate(r.Data); err == nil && authority.IsCA {
			roots.AddCert(authority)
			found = true
		}
	}
	return found && c.trusted(roots) == nil
}

// pinned reports whether the certificate is trusted, and the record matches it or an authority of its path (RFC 6698 §2.1.1).
func (c *check) pinned(r TLSA) bool {
	paths, err := c.paths(c.options.Roots)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(paths, func(path []*x509.Certificate) bool {
		if r.Usage == usagePKIXEE {
			return r.matches(path[0])
		}
		return slices.ContainsFunc(path[1:], r.matches)
	})
}
