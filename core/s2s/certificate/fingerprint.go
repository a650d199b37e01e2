package certificate

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"crypto/x509"
	"slices"
)

// Fingerprint is the hash of a certificate that a domain has published (RFC 7711 §3.1).
type Fingerprint struct {
	Hash string // "sha-256", "sha-384" or "sha-512"; others never match
	Sum  []byte
}

// matchFingerprint reports whether one of the fingerprints is the certificate's. Such a certificate is accepted whatever
// its names are and whoever signed it (RFC 7711 §3.3).
func matchFingerprint(c *x509.Certificate, all []Fingerprint) bool {
	return slices.ContainsFunc(all, func(f Fingerprint) bool {
		var sum []byte
		switch f.Hash {
		case "sha-256":
			s := sha256.Sum256(c.Raw)
			sum = s[:]
		case "sha-384":
			s := sha512.Sum384(c.Raw)
			sum = s[:]
		case "sha-512":
			s := sha512.Sum512(c.Raw)
			sum = s[:]
		default:
			return false
		}
		return subtle.ConstantTimeCompare(sum, f.Sum) == 1
	})
}

// matchKey reports whether the certificate's public key is among those that the domain has published (XEP-0487 §2).
func matchKey(c *x509.Certificate, all [][sha256.Size]byte) bool {
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return slices.ContainsFunc(all, func(k [sha256.Size]byte) bool { return subtle.ConstantTimeCompare(k[:], sum[:]) == 1 })
}
